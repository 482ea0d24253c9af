"""How many planted mistakes `review` and ObjectLab find."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from studies.labels.planting import KINDS
from studies.labels.result import MethodFigures, ObjectLabFigures, Reviewed
from studies.results import read_named_results
from tasks.artifacts.artifact import Artifact, write_artifact
from tasks.errors import PipelineError


class Row(Artifact):
    """One method on one data set: means over seeds.

    Attributes:
        data, method, seeds: which, and how many seeds.
        recall: where half of the suspects are right.
        found: the share of each kind that is found by then.
    """

    data: str
    method: str
    seeds: int
    recall: float
    found: dict[str, float]


def write_table(results: Path, objectlab: Path, summary: Path, markdown: Path) -> str:
    """Summarise every result as JSON and as Markdown, which is also returned.

    Raises:
        PipelineError: there is no result, or a file is not the result of a run.
    """
    reviewed = read_named_results(results, Reviewed, "review")
    others = {each.key: each for each in read_named_results(objectlab, ObjectLabFigures, "objectlab")}
    if not reviewed:
        raise PipelineError(f"{results}: no run has ended yet; `dvc repro` runs them")
    by_data: defaultdict[str, list[Reviewed]] = defaultdict(list)
    for each in reviewed:
        by_data[each.data].append(each)
    rows = [row for data, own in sorted(by_data.items()) for row in _rows(data, own, others)]
    write_artifact(summary, {f"{row.data}-{row.method.replace(', ', '-')}": row for row in rows})
    lines = [
        "Recall of the planted mistakes where half of the suspects are right; of each kind, the share found by then:"
    ]
    lines += [
        "",
        f"| data | method | seeds | recall | {' | '.join(KINDS)} |",
        f"|---|---|---:|---:|{'---:|' * len(KINDS)}",
    ]
    for row in rows:
        kinds = " | ".join("-" if kind not in row.found else f"{row.found[kind]:.2f}" for kind in KINDS)
        lines.append(f"| {row.data} | {row.method} | {row.seeds} | {row.recall:.2f} | {kinds} |")
    lines += ["", "| data | seed | images | labels | planted | recall | looked at | AP50 out of fold | minutes |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for each in reviewed:
        ap50 = "-" if each.AP50 is None else f"{each.AP50:.2f}"
        lines.append(
            f"| {each.data} | {each.seed} | {each.images} | {each.labels} | {sum(each.planted.values())} | "
            f"{each.review.recall:.2f} | {each.review.suspects} | {ap50} | {each.minutes:.0f} |"
        )
    versions = len({each.code for each in reviewed})
    if versions > 1:
        lines += ["", f"The runs are of {versions} different versions of the code."]
    text = "\n".join(lines) + "\n"
    markdown.write_text(text, encoding="utf-8")
    return text


def _rows(data: str, own: Sequence[Reviewed], others: Mapping[str, ObjectLabFigures]) -> list[Row]:
    rows = [_row(data, "review", own, [each.review for each in own])]
    both = [each for each in own if each.key in others]
    if not both:
        return rows
    found = [others[each.key] for each in both]
    return [
        *rows,
        _row(data, "objectlab", both, [each.own for each in found]),
        _row(data, "objectlab, fitted", both, [each.fitted for each in found]),
    ]


def _row(data: str, method: str, runs: Sequence[Reviewed], figures: Sequence[MethodFigures]) -> Row:
    planted = {kind: sum(run.planted.get(kind, 0) for run in runs) for kind in KINDS}
    return Row(
        data=data,
        method=method,
        seeds=len(runs),
        recall=statistics.fmean(each.recall for each in figures),
        found={
            kind: sum(each.found.get(kind, 0) for each in figures) / count for kind, count in planted.items() if count
        },
    )
