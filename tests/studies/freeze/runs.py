"""Made-up runs of the freeze study, and how often its page calls two equal arms different.

`python -m tests.studies.freeze.runs --sets 1000`: minutes.
"""

import argparse
from typing import Any

import numpy as np
from tqdm import tqdm

from studies.freeze.figures import FreezeRun, figures
from studies.freeze.record import Curves, RunRecord
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.metrics.matching import match_detections
from tests.metrics.cases import annotated, dataset, detect

STEPS = 40
BOX = (20.0, 20.0, 120.0, 120.0)
ARMS: dict[str, str | int] = {"none": "none", "first_8": 8}


def record(arm: str, seed: int, step_ms: float, **changes: Any) -> RunRecord:
    """What a run measured, whose steps all took `step_ms`."""
    steps = range(1, STEPS + 1)
    curves = Curves(
        loss=[(step, seed + 1 / step) for step in steps],
        step_ms=[(step, step_ms) for step in steps],
        mAP=[(20, 0.2), (40, 0.4)],
        AP50=[(20, 0.3), (40, 0.6)],
    )
    made_up = RunRecord(
        model="v2",
        arm=arm,
        seed=seed,
        code="c",
        startup_s=10.0,
        frozen_variables=0 if arm.startswith("none") else 50,
        frozen_max_abs_change=0.0,
        frozen_statistics_max_abs_change=0.0,
        curves=curves,
    )
    return made_up.model_copy(update=changes)


def photographs(count: int) -> Dataset:
    """A cat in each."""
    return dataset(*(annotated((BOX, "cat")) for _ in range(count)), classes=("cat",))


def shifted(shifts: Any) -> list[Detections]:
    """A box in each photograph, its shift in pixels to the right of the cat."""
    return [
        detect(((BOX[0] + shift, BOX[1], BOX[2] + shift, BOX[3]), "cat", 0.9 - place / 1000))
        for place, shift in enumerate(shifts)
    ]


def share_called_different(sets: int, spread: float, *, images: int = 66, seeds: int = 3) -> tuple[float, float]:
    """The share of sets in which an arm is called different from its equal, and the mean spread of mAP over seeds.

    A run is better or worse than others by its seed, `spread` pixels of 12, and by each image.
    """
    verdicts, spreads = [], []
    for number in tqdm(range(sets), unit="set"):
        random = np.random.default_rng(number)
        test, hard = photographs(images), random.uniform(0.2, 2.2, images)
        runs: dict[str, list[FreezeRun]] = {arm: [] for arm in ARMS}
        for seed in range(seeds):
            for arm, own in runs.items():
                shifts = (12 + random.normal(0, spread)) * np.clip(hard + random.normal(0, 0.35, images), 0.02, None)
                own.append(FreezeRun(record(arm, seed, 100.0), match_detections(test, shifted(shifts))))
        _, row = figures("v2", ARMS, runs, {}).rows
        verdicts.append(row.verdict != "can't tell")
        spreads.append(row.spread)
    return float(np.mean(verdicts)), float(np.mean(spreads))


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(prog="python -m tests.studies.freeze.runs", description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    args = parser.parse_args()
    for spread in (0.0, 0.5, 1.2, 3.0):
        share, deviation = share_called_different(args.sets, spread)
        print(f"spread of mAP over seeds {deviation:.3f}: {share:.1%} of {args.sets} equal arms are called different")


if __name__ == "__main__":
    main()
