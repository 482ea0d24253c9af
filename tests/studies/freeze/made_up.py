"""Made-up results of the freeze study, and the figures and pages made from them."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from studies.freeze.figures import ModelFigures, figures, read_runs
from studies.freeze.page import write_page
from studies.freeze.params import StudyParams
from studies.freeze.places import DATA, DETECTIONS, PAGE, RESULTS, RUN, TIMING
from studies.freeze.record import Record
from tasks.artifacts.artifact import write_artifact
from tasks.dataset.coco_json import write_coco, write_detections
from tasks.dataset.dataset import Dataset
from tests.studies.freeze.runs import STEPS, record, shifted

STUDY = Path(__file__).parents[3] / "studies" / "freeze"
ARMS: dict[str, str | int] = {"none": "none", "none_again": "none", "first_8": 8}


def study(**changes: Any) -> StudyParams:
    content = yaml.safe_load((STUDY / "study.yaml").read_text()) | {
        "models": {"v2": {"name": "ssd_mobilenet_v2_fpnlite_320x320", "start": "base"}},
        "arms": ARMS,
        "seeds": [1, 2],
        "steps": STEPS,
    }
    return StudyParams.model_validate(content | changes)


def a_run(
    folder: Path, test: Dataset, arm: str, seed: int, *, step_ms: float, off: float = 0.0, **changes: Any
) -> None:
    """A run whose boxes lie `off` pixels beside the true ones, more or less, and whose steps take `step_ms`."""
    random = np.random.default_rng(seed)
    shifts = off * random.uniform(0.5, 1.5, len(test.images))
    run = folder / f"v2-{arm}-{seed}"
    run.mkdir(parents=True)
    write_artifact(run / RUN, record(arm, seed, step_ms, **changes))
    write_detections(shifted(shifts), test, run / DETECTIONS)


def all_runs(folder: Path, test: Dataset, **changes: dict[str, Any]) -> None:
    for seed in (1, 2):
        for arm in ARMS:
            what = {"step_ms": 250.0 if arm == "first_8" else 1000.0} | changes.get(arm, {})
            a_run(folder, test, arm, seed, **what)


def page_of(test: Dataset, **changes: Any) -> str:
    """The table; photographs, results and timings lie where dvc.yaml has them."""
    if not DATA.is_dir():
        (DATA / "splits").mkdir(parents=True)
        write_coco(test, DATA / "splits" / "test.json")
    return write_page(study(**changes), DATA, RESULTS, TIMING, PAGE)


def a_timing(arm: str, *, step_ms: float, code: str = "c") -> None:
    TIMING.mkdir(exist_ok=True)
    made_up = Record(**dict(record(arm, 1, step_ms, code=code)))
    write_artifact(TIMING / f"v2-{arm}.json", made_up)


def figures_of(folder: Path, test: Dataset) -> ModelFigures:
    return figures("v2", ARMS, read_runs(folder, "v2", ARMS, (1, 2), test), {})
