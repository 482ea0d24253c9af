"""metrics/headline/: the few figures that `dvc metrics show` and `dvc metrics diff` print.

`dvc metrics show` prints a row for each file and a column for each figure, `dvc metrics diff` a row for each figure
that changed. So that both fit a terminal of 120 columns and 24 rows there are these files:

- `all.json`: the SavedModel's mAP with the ends of its 95 % interval, AP50, AP75, AR100, precision and recall;
- `float32.json`, `int8.json`, ...: mAP of each variant;
- `class_NAME.json`: the SavedModel's AP of a class, under the name of the mean that it is a part of. More than ten
  classes have none: `dvc metrics diff --targets metrics/evaluate.json` prints every figure of every class.

Values have three digits; metrics/evaluate.json has all of them.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from tasks.artifacts.evaluation import Evaluation
from tasks.ground.files import replacing, write_json

_DIGITS = 3
_MAX_CLASSES = 10
# What is left of 120 columns beside the figures, the folder's name and what stands around a class's name.
_MAX_NAME_LENGTH = 13


def write_headline(folder: Path, evaluation: Evaluation) -> None:
    """Write the files of one evaluation to `folder`, rounded; None where there is nothing to measure."""
    model = evaluation.saved_model
    files: dict[str, dict[str, float | None]] = {
        "all": {
            "mAP": model.mean_ap,
            "mAP_lo": model.mean_ap_low,
            "mAP_hi": model.mean_ap_high,
            "AP50": model.ap50,
            "AP75": model.ap75,
            "AR100": model.ar100,
            "precision": model.precision,
            "recall": model.recall,
        },
        **{name: {"mAP": figures.mean_ap} for name, figures in evaluation.variants.items()},
    }
    if len(model.per_class) <= _MAX_CLASSES:
        names = _file_names(model.per_class)
        files |= {name: {"mAP": each.ap} for name, each in zip(names, model.per_class.values(), strict=True)}
    with replacing(folder, own_folder=True) as beside:
        beside.mkdir(parents=True)
        for name, figures in files.items():
            rounded = {key: None if value is None else round(value, _DIGITS) for key, value in figures.items()}
            write_json(beside / f"{name}.json", rounded)


def _file_names(classes: Iterable[str]) -> list[str]:
    """A short file name for each class: letters, digits, `_` and `-`, and a number where two would be the same."""
    names: list[str] = []
    for each in classes:
        plain = re.sub(r"[^\w-]+", "_", each)[:_MAX_NAME_LENGTH]
        candidates = [
            f"class_{plain}",
            *(f"class_{plain[: _MAX_NAME_LENGTH - 2]}_{n}" for n in range(2, _MAX_CLASSES + 1)),
        ]
        names.append(next(name for name in candidates if name.casefold() not in {other.casefold() for other in names}))
    return names
