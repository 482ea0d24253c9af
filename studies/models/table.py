"""The results as two tables in Markdown: what each model can do, and what it costs."""

from collections.abc import Mapping
from pathlib import Path

from studies.models.result import ModelResult
from tasks.errors import PipelineError
from tasks.model.definitions import MODELS
from tasks.model.variants import VARIANTS


def write_tables(results: Mapping[str, ModelResult], markdown: Path) -> str:
    """Write both tables, in the order of `MODELS`, into `markdown`, and return them.

    Raises:
        PipelineError: there is no result.
    """
    ordered = [results[model] for model in MODELS if model in results]
    if not ordered:
        raise PipelineError("no model has a result yet; `python -m studies.models` measures them")
    lines = [
        "Five steps on the drawn sample at the smallest input, exported and scored; then five more with the backbone "
        "frozen, from the weights of the first:",
        "",
        "| model | px | s | loss | mAP | " + " | ".join(VARIANTS) + " | restored | frozen | moved by |",
        "|---|---:|---:|---:|---:|" + "---:|" * len(VARIANTS) + "---:|---:|---:|",
        *(_small_row(result) for result in ordered),
        "",
        *(f"- {result.model}, {name}: {why}" for result in ordered for name, why in result.small.left_out.items()),
        "",
        f"At the size that the name says, on {ordered[0].cores} cores; a step is of {ordered[0].native.batch_size} "
        "images, with nothing frozen:",
        "",
        "| model | px | million parameters | GFLOPs | ms a step | MB at most | ms a photo |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_native_row(result) for result in ordered),
    ]
    versions = len({result.code for result in ordered})
    if versions > 1:
        lines += ["", f"Results of {versions} different versions of the code are mixed here."]
    text = "\n".join(lines) + "\n"
    markdown.write_text(text, encoding="utf-8")
    return text


def _small_row(result: ModelResult) -> str:
    small = result.small
    variants = [f"{small.variants[name]:.1f} MB" if name in small.variants else "-" for name in VARIANTS]
    mean_ap = "-" if small.mAP is None else f"{small.mAP:.3f}"
    return (
        f"| {result.model} | {small.side_px} | {small.seconds:.0f} | {small.loss:.2f} | {mean_ap} | "
        f"{' | '.join(variants)} | {small.restored} of {small.variables} | {small.frozen_variables} | "
        f"{small.frozen_max_abs_change:g} |"
    )


def _native_row(result: ModelResult) -> str:
    native = result.native
    return (
        f"| {result.model} | {native.side_px} | {native.parameters / 1e6:.1f} | {native.gflops:.1f} | "
        f"{native.step_ms:.0f} | {native.peak_memory_mb:.0f} | {native.detection_ms:.0f} |"
    )
