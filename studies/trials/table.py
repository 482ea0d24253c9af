"""Mean and spread over seeds, for each data set, length and arm, and the difference of each arm to one of them."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studies.chance import over_seeds
from tasks.errors import PipelineError
from tasks.ground.files import write_json

_FIGURES = ("mAP", "AP50")
# Data, steps, arm.
_Group = tuple[str, int, str]


def write_table(results: Path, summary: Path, markdown: Path, *, against: str) -> str:
    """Sum up every result in `results` as JSON and as Markdown, which is also returned.

    Args:
        results: the folder with the file of each run.
        summary: the JSON file to write.
        markdown: the Markdown file to write.
        against: the arm that the others are compared with, over the seeds that both have.

    Raises:
        PipelineError: there is no result, or a file is none.
    """
    rows = [_read(path) for path in sorted(results.glob("*.json"))]
    if not rows:
        raise PipelineError(f"{results}: no run has ended yet; `dvc repro` runs them")
    groups: dict[_Group, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["data"], row["steps"], row["arm"]), []).append(row)
    sums = {group: _summed(groups[group]) for group in sorted(groups)}
    write_json(summary, {f"{data}-{arm}-{steps}": found for (data, steps, arm), found in sums.items()})
    lines = [
        f"On the {' and '.join(sorted({row['part'] for row in rows}))} part, mean ± standard deviation over seeds:",
        "",
        "| data (images) | steps | arm | seeds | mAP | AP50 | s of training |",
        "|---|---:|---|---:|---:|---:|---:|",
        *(
            f"| {data} ({found['images']}) | {steps} | {arm} | {found['seeds']} | "
            + " | ".join(_mean(found[name], found[f"{name}_sd"]) for name in _FIGURES)
            + f" | {found['seconds']:.0f} |"
            for (data, steps, arm), found in sums.items()
        ),
    ]
    lines += _compared(groups, against)
    codes = sorted({row["code"] for row in rows})
    if len(codes) > 1:
        mixed = f"Runs of {len(codes)} different versions of the code, the params and the weights are mixed here."
        lines += ["", mixed]
    text = "\n".join(lines) + "\n"
    markdown.write_text(text, encoding="utf-8")
    return text


def _mean(value: float, spread: float | None) -> str:
    return f"{value:.3f}" if spread is None else f"{value:.3f} ± {spread:.3f}"


def _compared(groups: Mapping[_Group, Sequence[dict[str, Any]]], against: str) -> list[str]:
    lines = []
    for (data, steps, arm), rows in sorted(groups.items()):
        other = {row["seed"]: row for row in groups.get((data, steps, against), ())}
        pairs = [(row, other[row["seed"]]) for row in rows if row["seed"] in other]
        if arm == against or not pairs:
            continue
        cells = (_difference([row[name] - base[name] for row, base in pairs]) for name in _FIGURES)
        lines.append(f"| {data} | {steps} | {arm} | {len(pairs)} | {' | '.join(cells)} |")
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
    reach = f" ({interval.low:+.3f} to {interval.high:+.3f})" if interval else ""
    return f"{statistics.fmean(values):+.3f}{reach}"


def _summed(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    summed: dict[str, Any] = {
        "seeds": len(rows),
        "images": rows[0]["images"],
        # A median step times their number: what other work on the machine took is left out as far as that can be.
        "seconds": statistics.mean(row["step_ms_median"] * row["steps"] / 1000 for row in rows),
    }
    for name in _FIGURES:
        values = [row[name] for row in rows]
        summed[name] = statistics.mean(values)
        summed[f"{name}_sd"] = statistics.stdev(values) if len(values) > 1 else None
    return summed


def _read(path: Path) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = {"data", "arm", "steps", "seed", "code", "step_ms_median", "part", "images", *_FIGURES} - row.keys()
    except (ValueError, AttributeError) as error:
        raise PipelineError(f"{path}: not a result of this study ({error!r}); remove it and run again") from error
    if missing:
        raise PipelineError(f"{path}: {', '.join(sorted(missing))} missing; remove it and run again")
    return row
