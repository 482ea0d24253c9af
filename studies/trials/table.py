"""Mean and spread over seeds, for each data set, length and arm, and the difference of each arm to one of them."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from studies.chance import over_seeds
from studies.results import read_named_results
from studies.trials.result import Trial, TrialResult
from tasks.artifacts.artifact import Artifact, write_artifact
from tasks.errors import PipelineError


class _Group(NamedTuple):
    """Runs that differ in their seed only."""

    data: str
    steps: int
    arm: str


class _Summary(Artifact):
    """A group of runs in table.json: means and standard deviations over seeds (None for one seed)."""

    seeds: int
    images: int
    step_ms: float
    seconds: float
    mAP: float  # noqa: N815 - the metric's name
    mAP_sd: float | None  # noqa: N815
    AP50: float
    AP50_sd: float | None


def write_table(results: Path, summary: Path, markdown: Path, *, against: str, steps_of: Callable[[Trial], int]) -> str:
    """Summarise every result in `results` as JSON and as Markdown, which is also returned.

    Args:
        results: the folder with the file of each run.
        summary: the JSON file to write.
        markdown: the Markdown file to write.
        against: the arm that the others are compared with, over the seeds that both have.
        steps_of: how many steps a run trains, for the column of this name: an arm may have a number of its own.

    Raises:
        PipelineError: there is no result, a file is not the result of a run, or runs of one data set are scored on
            different images.
    """
    runs = read_named_results(results, TrialResult, "train")
    if not runs:
        raise PipelineError(f"{results}: no run has ended yet; `dvc repro` runs them")
    _refuse_different_images(runs)
    groups: dict[_Group, list[TrialResult]] = {}
    for run in runs:
        groups.setdefault(_Group(run.data, run.steps, run.arm), []).append(run)
    summaries = {group: _summary(groups[group]) for group in sorted(groups)}
    write_artifact(summary, {f"{group.data}-{group.arm}-{group.steps}": each for group, each in summaries.items()})
    steps = {group: steps_of(of_group[0].trial) for group, of_group in groups.items()}
    lines = [
        f"On the {' and '.join(sorted({run.split for run in runs}))} split, mean ± standard deviation over seeds:",
        "",
        "| data (images) | steps | arm | seeds | mAP | AP50 | ms a step | s of training |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
        *(_summary_row(group, each, steps[group]) for group, each in summaries.items()),
        *_comparison(groups, against, steps),
    ]
    versions = len({run.code for run in runs})
    if versions > 1:
        lines += ["", f"Runs of {versions} different versions of the code, the params and the weights are mixed here."]
    text = "\n".join(lines) + "\n"
    markdown.write_text(text, encoding="utf-8")
    return text


def _refuse_different_images(runs: Sequence[TrialResult]) -> None:
    """Scores on different images have no mean and no difference."""
    first: dict[str, TrialResult] = {}
    for run in runs:
        other = first.setdefault(run.data, run)
        if (run.split, run.images) != (other.split, other.images):
            raise PipelineError(
                f"{run.key} is scored on {run.images} images of {run.split}, {other.key} on {other.images} of "
                f"{other.split}: run one of them again (`dvc repro -f train@{run.key}`)"
            )


def _summary(runs: Sequence[TrialResult]) -> _Summary:
    mean_aps, ap50s = [run.mAP for run in runs], [run.AP50 for run in runs]
    return _Summary(
        seeds=len(runs),
        images=runs[0].images,
        step_ms=statistics.mean(run.step_ms_median for run in runs),
        seconds=statistics.mean(run.seconds for run in runs),
        mAP=statistics.mean(mean_aps),
        mAP_sd=_deviation(mean_aps),
        AP50=statistics.mean(ap50s),
        AP50_sd=_deviation(ap50s),
    )


def _deviation(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _summary_row(group: _Group, summary: _Summary, steps: int) -> str:
    scores = (_mean(summary.mAP, summary.mAP_sd), _mean(summary.AP50, summary.AP50_sd))
    run = f"{group.data} ({summary.images}) | {steps} | {group.arm}"
    return f"| {run} | {summary.seeds} | {' | '.join(scores)} | {summary.step_ms:.0f} | {summary.seconds:.0f} |"


def _mean(value: float, deviation: float | None) -> str:
    return f"{value:.3f}" if deviation is None else f"{value:.3f} ± {deviation:.3f}"


def _comparison(groups: Mapping[_Group, Sequence[TrialResult]], against: str, steps: Mapping[_Group, int]) -> list[str]:
    lines = []
    for group, runs in sorted(groups.items()):
        base = {run.seed: run for run in groups.get(group._replace(arm=against), ())}
        pairs = [(run, base[run.seed]) for run in runs if run.seed in base]
        if group.arm == against or not pairs:
            continue
        mean_ap = _difference([run.mAP - other.mAP for run, other in pairs])
        ap50 = _difference([run.AP50 - other.AP50 for run, other in pairs])
        lines.append(f"| {group.data} | {steps[group]} | {group.arm} | {len(pairs)} | {mean_ap} | {ap50} |")
    if not lines:
        return []
    return [
        "",
        f"Against `{against}`, the mean difference over the same seeds, and its 95 % interval for other seeds:",
        "",
        "| data | steps | arm | seeds | mAP | AP50 |",
        "|---|---:|---|---:|---:|---:|",
        *lines,
    ]


def _difference(values: Sequence[float]) -> str:
    interval = over_seeds(values)
    ends = f" ({interval.low:+.3f} to {interval.high:+.3f})" if interval else ""
    return f"{statistics.fmean(values):+.3f}{ends}"
