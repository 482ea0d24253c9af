"""mAP against the number of labels, for each method, and with how many labels each is as good as chance at the end."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from studies.chance import over_seeds
from studies.results import read_named_results
from studies.selection.result import Curve
from tasks.artifacts.artifact import Artifact, write_artifact
from tasks.errors import PipelineError

# Of each method the curves by seed.
_BySeed = Mapping[int, Curve]


class Row(Artifact):
    """One method on one data set with so many labels: means and standard deviations over seeds (None for one)."""

    data: str
    labels: int
    method: str
    seeds: int
    mAP: float  # noqa: N815 - the metric's name
    mAP_sd: float | None  # noqa: N815
    AP50: float


def write_table(results: Path, summary: Path, markdown: Path, methods: Mapping[str, float]) -> str:
    """Summarise every result in `results` as JSON and as Markdown, which is also returned.

    Raises:
        PipelineError: there is no result, a file is not the result of a run, or rounds of one data set differ.
    """
    curves = read_named_results(results, Curve, "rounds")
    if not curves:
        raise PipelineError(f"{results}: no run has ended yet; `dvc repro` runs them")
    _refuse_different_rounds(curves)
    by_lot = [method for method, share in methods.items() if share == 1.0]
    groups: defaultdict[tuple[str, str], dict[int, Curve]] = defaultdict(dict)
    for curve in curves:
        groups[(curve.data, curve.method)][curve.seed] = curve
    rows = [row for (data, method), own in sorted(groups.items()) for row in _rows(data, method, own)]
    write_artifact(summary, {f"{row.data}-{row.method}-{row.labels}": row for row in rows})
    lines = ["On the test split, mean ± standard deviation over seeds:", ""]
    lines += ["| data (images) | labels | method | seeds | mAP | AP50 |", "|---|---:|---|---:|---:|---:|"]
    images = {curve.data: curve.test_images for curve in curves}
    for row in sorted(rows, key=lambda row: (row.data, row.labels, row.method)):
        spread = "" if row.mAP_sd is None else f" ± {row.mAP_sd:.3f}"
        where = f"{row.data} ({images[row.data]})"
        lines.append(
            f"| {where} | {row.labels} | {row.method} | {row.seeds} | {row.mAP:.3f}{spread} | {row.AP50:.3f} |"
        )
    for lot in by_lot:
        lines += _differences(groups, lot)
        lines += _reached(groups, lot)
    versions = len({curve.code for curve in curves})
    if versions > 1:
        lines += ["", f"The runs are of {versions} different versions of the code."]
    text = "\n".join(lines) + "\n"
    markdown.write_text(text, encoding="utf-8")
    return text


def _refuse_different_rounds(curves: Sequence[Curve]) -> None:
    """Rounds of different sizes, and scores on different images, have no mean and no difference."""
    first: dict[str, Curve] = {}
    for curve in curves:
        other = first.setdefault(curve.data, curve)
        if _rounds_of(curve) != _rounds_of(other):
            raise PipelineError(
                f"{curve.key} has other rounds, steps or test images than {other.key}: run one of them again "
                f"(`dvc repro -f rounds@{curve.data}-{curve.seed}`)"
            )


def _rounds_of(curve: Curve) -> tuple[object, ...]:
    return curve.test_images, curve.steps, *(each.labels for each in curve.rounds)


def labels_to_reach(curve: Sequence[tuple[int, float]], target: float) -> float | None:
    """With how many labels a curve of (labels, mAP) first reaches `target`, between rounds on a line; None: never."""
    if curve and curve[0][1] >= target:
        return float(curve[0][0])
    for (before, low), (after, high) in pairwise(curve):
        if high >= target:
            return before + (after - before) * (target - low) / (high - low)
    return None


def _rows(data: str, method: str, own: _BySeed) -> list[Row]:
    rounds = [list(each) for each in zip(*(curve.rounds for curve in own.values()), strict=False)]
    return [
        Row(
            data=data,
            labels=same[0].labels,
            method=method,
            seeds=len(same),
            mAP=statistics.fmean(each.mAP for each in same),
            mAP_sd=statistics.stdev(each.mAP for each in same) if len(same) > 1 else None,
            AP50=statistics.fmean(each.AP50 for each in same),
        )
        for same in rounds
    ]


def _differences(groups: Mapping[tuple[str, str], _BySeed], lot: str) -> list[str]:
    lines = ["", f"mAP less that of {lot}, over the seeds that both have (95 % interval for other seeds):", ""]
    lines += ["| data | labels | method | seeds | mAP |", "|---|---:|---|---:|---:|"]
    for (data, method), own in sorted(groups.items()):
        other = groups.get((data, lot), {})
        seeds = sorted(own.keys() & other.keys())
        if method == lot or not seeds:
            continue
        for number, each in enumerate(own[seeds[0]].rounds):
            gains = [own[seed].rounds[number].mAP - other[seed].rounds[number].mAP for seed in seeds]
            interval = over_seeds(gains)
            reach = "" if interval is None else f" ({interval.low:+.3f} to {interval.high:+.3f})"
            lines.append(
                f"| {data} | {each.labels} | {method} | {len(seeds)} | {statistics.fmean(gains):+.3f}{reach} |"
            )
    return lines


def _reached(groups: Mapping[tuple[str, str], _BySeed], lot: str) -> list[str]:
    lines = ["", f"With how many labels the mean mAP of {lot} at its end is reached:", ""]
    lines += ["| data | method | mAP | labels |", "|---|---|---:|---:|"]
    for (data, method), own in sorted(groups.items()):
        other = _rows(data, lot, groups.get((data, lot), {}))
        if method == lot or not other:
            continue
        target = other[-1].mAP
        labels = labels_to_reach([(row.labels, row.mAP) for row in _rows(data, method, own)], target)
        words = f"{labels:.0f} of {other[-1].labels}" if labels is not None else "not reached"
        lines.append(f"| {data} | {method} | {target:.3f} | {words} |")
    return lines
