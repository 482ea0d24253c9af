"""The figures of the freeze study: one row an arm, from the runs of its seeds."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studies.chance import over_images_and_seeds
from studies.freeze.params import StudyParams
from studies.freeze.places import DETECTIONS, RUN, run_name
from studies.freeze.record import Curve, Record, RunRecord
from tasks.artifacts.analysis import Interval
from tasks.artifacts.artifact import read_artifact
from tasks.dataset.coco_json import read_detections
from tasks.dataset.dataset import Dataset
from tasks.errors import PipelineError
from tasks.metrics.analysis import carriers_of, named_figures
from tasks.metrics.differences import verdict_of
from tasks.metrics.intervals import halves, interval, interval_of_difference, resampled_figures
from tasks.metrics.matching import Matches, match_detections

# The first steps fill queues and pools of memory.
_SETTLING = 10


@dataclass(frozen=True)
class FreezeRun:
    """One run of the matrix, read back.

    Attributes:
        record: what the run measured.
        matches: of its detections with the boxes of the test images.
    """

    record: RunRecord
    matches: Matches

    @property
    def step_s(self) -> float:
        """Median seconds a step, once settled."""
        return _step_s(self.record)

    @property
    def clock(self) -> Curve:
        """`(step, seconds)`: start-up, in which the cache is filled, and steps; validations are left out."""
        steps, milliseconds = zip(*self.record.curves.step_ms, strict=True)
        seconds = np.cumsum([ms / 1000 for ms in milliseconds])
        return [(step, float(self.record.startup_s + spent)) for step, spent in zip(steps, seconds, strict=True)]

    def over_time(self, curve: Curve) -> Curve:
        """One of the run's curves over seconds in place of steps."""
        steps, seconds = zip(*self.clock, strict=True)
        return [(float(np.interp(step, steps, seconds)), value) for step, value in curve]

    def mean_ap_after(self, seconds: float) -> float:
        """Validation mAP when training had taken `seconds`: linear between validations, 0 before the first step."""
        validations = self.over_time(self.record.curves.mAP)
        times, values = zip(*[(self.record.startup_s, 0.0), *validations], strict=True)
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
        alone: the factor by which that is shorter than with nothing frozen: what freezing gives without the cache.
        times: the factor by which a step is shorter than with nothing frozen, same seed: median, smallest, largest.
        mean_ap, spread: mAP on the test images after all steps, mean and standard deviation over seeds.
        interval: of that mean, over images, 95 %.
        difference: of mAP to nothing frozen, same images, same seeds: its interval over both.
        verdict: what that interval means: better, worse or can't tell.
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
    difference: Interval | None
    verdict: str
    equal_time: float
    equal_time_spread: float


@dataclass(frozen=True)
class ModelFigures:
    """All arms of one model.

    Attributes:
        rows: in the order of study.yaml; the first is the one that others are compared with.
        seconds: of "equal time": the median of the fastest arm.
        repeats: pairs of arms that freeze the same, and whether their losses were equal to the last bit.
    """

    model: str
    rows: list[Row]
    runs: dict[str, list[FreezeRun]]
    seconds: float
    repeats: list[tuple[str, str, bool]]


def missing_models(results: Path, study: StudyParams) -> list[str]:
    """The models without any run in `results`.

    Raises:
        PipelineError: all of them have none.
    """
    missing = [
        model
        for model in study.models
        if not any((results / run_name(model, arm, seed) / RUN).is_file() for arm in study.arms for seed in study.seeds)
    ]
    if len(missing) == len(study.models):
        raise PipelineError(f"{results}: no run of this study yet; `dvc repro` makes them all, in hours")
    return missing


def read_runs(
    results: Path, model: str, arms: Iterable[str], seeds: Iterable[int], test: Dataset
) -> dict[str, list[FreezeRun]]:
    """The run of every seed, by arm; runs of another study.yaml in `results` are left out.

    Raises:
        PipelineError: a run is missing, or a file cannot be read.
    """
    return {arm: [_read_run(results / run_name(model, arm, seed), test) for seed in seeds] for arm in arms}


def _read_run(folder: Path, test: Dataset) -> FreezeRun:
    if not (folder / RUN).is_file():
        raise PipelineError(f"{folder}: no such run yet; `dvc repro train@{folder.name}` makes it")
    record = read_artifact(folder / RUN, RunRecord, f"train@{folder.name}")
    return FreezeRun(record, match_detections(test, read_detections(folder / DETECTIONS, test)))


def figures(
    model: str, arms: Mapping[str, str | int], runs: dict[str, list[FreezeRun]], timings: Mapping[str, Record]
) -> ModelFigures:
    """The rows of one model.

    Args:
        model: its name in study.yaml.
        arms: the value of `train.freeze` of each.
        runs: of every arm those of the same seeds, in the same order.
        timings: a training without the cache, of some arms.
    """
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
            timing=timings.get(arm),
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
    timing: Record | None,
    on: Mapping[str, npt.NDArray[np.float64]],
    drawn: npt.NDArray[np.float64],
) -> Row:
    own, base = runs[arm], runs[first]
    scores = _scores(own)
    value, carriers = statistics.fmean(scores), carriers_of(own[0].matches)["mAP"]
    differences = [later - before for later, before in zip(scores, _scores(base), strict=True)]
    over_images = interval_of_difference(statistics.fmean(differences), on[arm] - on[first], drawn, carriers)
    difference = over_images_and_seeds(over_images, carriers, differences)
    times = sorted(before.step_s / run.step_s for before, run in zip(base, own, strict=True))
    at_equal_time = [run.mean_ap_after(seconds) for run in own]
    steps = [run.step_s for run in own]
    uncached_s = _step_s(timing) if timing else None
    return Row(
        arm=arm,
        frozen=own[0].record.frozen_variables,
        max_change=max(run.record.largest_change for run in own),
        startup_s=statistics.median(run.record.startup_s for run in own),
        step_s=statistics.median(steps),
        step_range=(min(steps), max(steps)),
        uncached_s=uncached_s,
        alone=uncached_s and statistics.median(run.step_s for run in base) / uncached_s,
        times=(statistics.median(times), times[0], times[-1]),
        mean_ap=value,
        spread=_deviation(scores),
        interval=interval(value, on[arm], drawn, carriers),
        difference=difference,
        verdict=verdict_of(difference),
        equal_time=statistics.fmean(at_equal_time),
        equal_time_spread=_deviation(at_equal_time),
    )


def _step_s(record: Record) -> float:
    steps = record.curves.step_ms
    return statistics.median(float(ms) for _, ms in steps[min(_SETTLING, len(steps) // 2) :]) / 1000


def _scores(runs: Sequence[FreezeRun]) -> list[float]:
    return [named_figures(run.matches)["mAP"] or 0.0 for run in runs]


def _mean_on_halves(runs: Sequence[FreezeRun], drawn: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.mean([resampled_figures(run.matches, drawn)["mAP"] for run in runs], axis=0))


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _repeats(arms: Mapping[str, str | int], runs: Mapping[str, Sequence[FreezeRun]]) -> list[tuple[str, str, bool]]:
    names = list(arms)
    return [
        (one, other, all(_losses(a) == _losses(b) for a, b in zip(runs[one], runs[other], strict=True)))
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if arms[one] == arms[other]
    ]


def _losses(run: FreezeRun) -> list[float]:
    return [loss for _, loss in run.record.curves.loss]
