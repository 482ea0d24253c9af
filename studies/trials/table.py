"""Mean and spread over seeds, for each data set, length and arm."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.errors import PipelineError
from tasks.files import write_json

_FIGURES = ("mAP", "AP50")


def write_table(results: Path, summary: Path, markdown: Path) -> str:
    """Sum up every result in `results` as JSON and as Markdown, which is also returned.

    Raises:
        PipelineError: there is no result, or a file is none.
    """
    rows = [_read(path) for path in sorted(results.glob("*.json"))]
    if not rows:
        raise PipelineError(f"{results}: no run has ended yet; `dvc repro` runs them")
    groups: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
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
            + " | ".join(f"{found[name]:.3f} ± {found[f'{name}_sd']:.3f}" for name in _FIGURES)
            + f" | {found['seconds']:.0f} |"
            for (data, steps, arm), found in sums.items()
        ),
    ]
    codes = sorted({row["code"] for row in rows})
    if len(codes) > 1:
        mixed = f"Runs of {len(codes)} different versions of the code, the params and the weights are mixed here."
        lines += ["", mixed]
    text = "\n".join(lines) + "\n"
    markdown.write_text(text, encoding="utf-8")
    return text


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
        summed[f"{name}_sd"] = statistics.stdev(values) if len(values) > 1 else 0.0
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
