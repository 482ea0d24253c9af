"""The figures of the last run in a few lines: `dvc metrics show` has them all, in one very wide row."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.gate import read_gate_counts
from tasks.artifacts.training import read_training_figures
from tasks.errors import PipelineError
from tasks.ground.text import print_text, printable
from tasks.params import read_params

if TYPE_CHECKING:
    from tasks.params import PathParams

_MODELS = {"saved_model": "SavedModel", "tflite": "TFLite"}


def summary(*, params: Path) -> None:
    """Print the figures of the last run; its paths stand in the params file `params`.

    Raises:
        PipelineError: the pipeline has not run to its end yet.
    """
    print_text(figures(read_params(params).paths))


def figures(paths: "PathParams") -> str:
    """Data, training and test figures as text.

    Raises:
        PipelineError: the pipeline has not run to its end yet.
    """
    data, test = read_gate_counts(paths.metrics_data), _read(paths.metrics_evaluate)
    train = read_training_figures(paths.metrics_train)
    best = "no validation images" if train.best_mAP is None else f"validation mAP {train.best_mAP:.3f}"
    lines = [
        f"data      {data.images} images, {data.boxes} boxes; dropped {data.dropped_images} images and "
        f"{data.dropped_boxes} boxes, fixed {data.fixed_boxes} boxes",
        f"training  {train.steps} steps, best after {train.best_step} ({best}), loss {train.loss:.3f}, "
        f"{train.step_ms_median / 1000:.2f} s a step",
        f"test      {test['images']} images that training never saw",
        "",
        f"{'':24}" + "".join(f"{title:>12}" for title in _MODELS.values()),
    ]
    lines += [
        _row(name, [test[model][name] for model in _MODELS]) + _interval(test["saved_model"], name)
        for name in ("mAP", "AP50", "AP75", "AR100")
    ]
    for name in test["saved_model"]["per_class"]:
        lines.append(_row(f"AP of {name}", [test[model]["per_class"][name]["AP"] for model in _MODELS]))
    return "\n".join(lines)


def _row(name: str, values: list[float | None]) -> str:
    return f"{printable(name[:23]):24}" + "".join(
        f"{'-' if value is None else format(value, '.3f'):>12}" for value in values
    )


def _interval(figures: dict[str, Any], name: str) -> str:
    low, high = (figures.get(f"{name}_{end}") for end in ("low", "high"))
    return "" if low is None or high is None else f"   SavedModel, 95 %: {low:.2f} to {high:.2f}"


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PipelineError(f"{path}: not there yet; `make run` or `dvc repro` runs the pipeline to its end") from error
    return content
