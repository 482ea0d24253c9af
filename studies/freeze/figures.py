"""What the runs of the freeze study say: one row an arm."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studies.chance import over_images_and_seeds
from studies.freeze.params import StudyParams
from studies.freeze.places import DETECTIONS, RUN
from tasks.dataset.coco_json import read_detections
from tasks.dataset.dataset import Dataset
from tasks.errors import PipelineError
from tasks.ground.files import read_json
from tasks.metrics.analysis import carriers_of, named_figures
from tasks.metrics.coco import matched
from tasks.metrics.differences import verdict_of
from tasks.metrics.intervals import Interval, halves, interval, interval_of_difference, resampled
from tasks.metrics.matching import Matches

# The first steps fill queues and pools of memory.
_SETTLING = 10
_CHANGES = ("frozen_max_abs_change", "frozen_statistics_max_abs_change")

Curve = list[tuple[float, float]]


@dataclass(frozen=True)
class FreezeRun:
    """One run of the matrix, read back.

    Attributes:
        arm, seed: as in study.yaml.
        noted: what the run wrote down.
        matches: of its detections in the test part.
    """

    arm: str
    seed: int
    noted: Mapping[str, Any]
    matches: Matches

    @property
    def step_s(self) -> float:
        """Median seconds a step, once settled."""
        return _step_s(self.noted)

    @property
    def clock(self) -> Curve:
        """`(step, seconds)`: start-up, in which the cache is filled, and steps; validations are left out."""
        seconds = np.cumsum([ms / 1000 for _, ms in self.noted["curves"]["train/step_ms"]])
        steps = [step for step, _ in self.noted["curves"]["train/step_ms"]]
        return [(step, float(self.noted["startup_s"] + spent)) for step, spent in zip(steps, seconds, strict=True)]

    def over_time(self, curve: str) -> Curve:
        """A curve over seconds in place of steps."""
        steps, seconds = zip(*self.clock, strict=True)
        return [(float(np.interp(step, steps, seconds)), value) for step, value in self.noted["curves"][curve]]

    def at(self, seconds: float) -> float:
        """Validation mAP when training had taken so long: on a line between validations, 0 before the first step."""
        times, values = zip(*[(float(self.noted["startup_s"]), 0.0), *self.over_time("val/mAP")], strict=True)
        return float(np.interp(seconds, times, values))


@dataclass(frozen=True)
class Row:
    """One arm of one model over its seeds.

    Attributes:
        arm: its name.
        frozen: variables, moving statistics included.
        max_change: the largest change of any of them, over all seeds.
        startup_s, step_s: medians over seeds; `step_range` has the smallest and the largest.
        uncached_s: a step without the cache, of one run; None where nothing is frozen, or it was not measured.
        alone: by how much that is shorter than with nothing frozen: what freezing gives without the cache.
        times: by how much a step is shorter than with nothing frozen, of the same seed: median, smallest, largest.
        mean_ap, spread: mAP on the test part after all steps, mean and standard deviation over seeds.
        interval: of that mean, over images, 95 %.
        apart: from nothing frozen, same images, same seeds; its interval over both, and what that says.
        equal_time, equal_time_spread: validation mAP when the fastest arm had ended, mean and standard deviation.
    """

    arm: str
    frozen: int
    max_change: float
    startup_s: float
    step_s: float
    step_range: tuple[float, float]
    uncached_s: float | None
    alone: float | None
    times: tuple[float, float, float]
    mean_ap: float
    spread: float
    interval: Interval | None
    apart: Interval | None
    verdict: str
    equal_time: float
    equal_time_spread: float


@dataclass(frozen=True)
class ModelFigures:
    """All arms of one model.

    Attributes:
        rows: in the order of study.yaml; the first is the one that others are compared with.
        seconds: what "equal time" is: the median of the fastest arm.
        repeats: of arms that freeze the same, the names, and whether their losses were equal to the last bit.
    """

    model: str
    rows: list[Row]
    runs: dict[str, list[FreezeRun]]
    seconds: float
    repeats: list[tuple[str, str, bool]]


def missing_models(results: Path, study: StudyParams) -> list[str]:
    """The models of which no run is in `results`.

    Raises:
        PipelineError: that is all of them.
    """
    run_of = {model: [f"{model}-{arm}-{seed}" for arm in study.arms for seed in study.seeds] for model in study.models}
    absent = [model for model, names in run_of.items() if not any((results / name / RUN).is_file() for name in names)]
    if len(absent) == len(run_of):
        raise PipelineError(f"{results}: no run of this study yet; `dvc repro` makes them all, in hours")
    return absent


def read_runs(
    results: Path, model: str, arms: Iterable[str], seeds: Iterable[int], test: Dataset
) -> dict[str, list[FreezeRun]]:
    """The run of every seed, by arm; what else lies in `results` is of another study.yaml.

    Raises:
        PipelineError: a run is missing, or a file cannot be read.
    """
    return {arm: [_read(results / f"{model}-{arm}-{seed}", test) for seed in seeds] for arm in arms}


def _read(folder: Path, test: Dataset) -> FreezeRun:
    if not (folder / RUN).is_file():
        raise PipelineError(f"{folder}: no such run yet; `dvc repro train@{folder.name}` makes it")
    noted = read_json(folder / RUN, "what a run of this study writes")
    matches = matched(test, read_detections(folder / DETECTIONS, test))
    return FreezeRun(noted["arm"], noted["seed"], noted, matches)


def figures(
    model: str, arms: Mapping[str, Any], runs: dict[str, list[FreezeRun]], uncached: Mapping[str, Mapping[str, Any]]
) -> ModelFigures:
    """The rows of one model; of every arm there are runs of the same seeds, in the same order."""
    first = next(iter(arms))
    seconds = min(statistics.median(run.clock[-1][1] for run in runs[arm]) for arm in arms)
    drawn = halves(runs[first][0].matches.images)
    on_halves = {arm: _mean_on_halves(runs[arm], drawn) for arm in arms}
    rows = [
        _row(
            arm,
            runs,
            first=first,
            seconds=seconds,
            uncached=uncached.get(arm),
            on=on_halves,
            drawn=drawn,
        )
        for arm in arms
    ]
    return ModelFigures(model, rows, runs, seconds, _repeats(arms, runs))


def _row(
    arm: str,
    runs: Mapping[str, Sequence[FreezeRun]],
    *,
    first: str,
    seconds: float,
    uncached: Mapping[str, Any] | None,
    on: Mapping[str, npt.NDArray[np.float64]],
    drawn: npt.NDArray[np.float64],
) -> Row:
    own, base = runs[arm], runs[first]
    scores = _scores(own)
    value, carriers = statistics.fmean(scores), carriers_of(own[0].matches)["mAP"]
    differences = [later - before for later, before in zip(scores, _scores(base), strict=True)]
    over_images = interval_of_difference(statistics.fmean(differences), on[arm] - on[first], drawn, carriers)
    apart = over_images_and_seeds(over_images, carriers, differences)
    times = sorted(before.step_s / run.step_s for before, run in zip(base, own, strict=True))
    later = [run.at(seconds) for run in own]
    steps = [run.step_s for run in own]
    uncached_s = _step_s(uncached) if uncached else None
    return Row(
        arm=arm,
        frozen=own[0].noted["frozen_variables"],
        max_change=max(run.noted[name] for run in own for name in _CHANGES),
        startup_s=statistics.median(run.noted["startup_s"] for run in own),
        step_s=statistics.median(steps),
        step_range=(min(steps), max(steps)),
        uncached_s=uncached_s,
        alone=uncached_s and statistics.median(run.step_s for run in base) / uncached_s,
        times=(statistics.median(times), times[0], times[-1]),
        mean_ap=value,
        spread=_deviation(scores),
        interval=interval(value, on[arm], drawn, carriers),
        apart=apart,
        verdict=verdict_of(apart),
        equal_time=statistics.fmean(later),
        equal_time_spread=_deviation(later),
    )


def _step_s(noted: Mapping[str, Any]) -> float:
    steps = noted["curves"]["train/step_ms"]
    return statistics.median(float(ms) for _, ms in steps[min(_SETTLING, len(steps) // 2) :]) / 1000


def _scores(runs: Sequence[FreezeRun]) -> list[float]:
    return [named_figures(run.matches)["mAP"] or 0.0 for run in runs]


def _mean_on_halves(runs: Sequence[FreezeRun], drawn: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.mean([resampled(run.matches, drawn)["mAP"] for run in runs], axis=0))


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _repeats(arms: Mapping[str, Any], runs: Mapping[str, Sequence[FreezeRun]]) -> list[tuple[str, str, bool]]:
    names = list(arms)
    return [
        (one, other, all(_losses(a) == _losses(b) for a, b in zip(runs[one], runs[other], strict=True)))
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if arms[one] == arms[other]
    ]


def _losses(run: FreezeRun) -> list[float]:
    return [loss for _, loss in run.noted["curves"]["train/loss"]]
