"""The parts of the data, and the label map against what there is to learn from."""

from collections.abc import Mapping, Sequence

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.tallies import FEW_IMAGES, image_counts
from tasks.ground.text import shortened
from tasks.lint.finding import Finding

_EMPTY = {
    "val": (
        "no image or no box in it: no checkpoint can be chosen by it, and the last one counts as the best",
        "raise split.val_fraction",
    ),
    "test": ("no image or no box in it: there will be no figures", "raise split.test_fraction"),
}
_OF_FEW = f"none is cut from {FEW_IMAGES} images and fewer: docs/few-images.md says what to do instead"
_SHOWN = 5


def check_splits(classes: Sequence[str], parts: Mapping[str, Sequence[AnnotatedImage]]) -> list[Finding]:
    """Empty parts, and classes of the label map that have no training box; `parts` has `train`, `val` and `test`."""
    found = _train(classes, parts["train"])
    few = sum(map(len, parts.values())) <= FEW_IMAGES
    for part, (why, remedy) in _EMPTY.items():
        if not _boxes(parts[part]):
            found.append(Finding("warning", f"the {part} part", "", why, _OF_FEW if few else remedy))
    return found


def named(names: Sequence[str]) -> str:
    """The first few of `names`, and how many more there are."""
    shown = ", ".join(shortened(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _train(classes: Sequence[str], images: Sequence[AnnotatedImage]) -> list[Finding]:
    if not images:
        return [
            Finding(
                "error",
                "the train part",
                "",
                "no image in it",
                "lower split.val_fraction and split.test_fraction, or see what the gate dropped (docs/data-gate.md); "
                "of data that came split, set split.author_split: ignore",
            )
        ]
    if not classes or not _boxes(images):
        return [
            Finding(
                "error",
                "the train part",
                "",
                f"no box in its {len(images)} images: there is nothing to learn",
                "annotate some, or see what the gate dropped (docs/data-gate.md)",
            )
        ]
    shown = image_counts(image.keep(~image.iscrowd) for image in images)
    missing = [name for name in classes if name not in shown]
    if not missing:
        return []
    return [
        Finding(
            "warning",
            "label_map.pbtxt",
            named(missing),
            "no training image shows it: a class head is made for it, and it will not be found",
            "annotate some, or split anew with another split.seed",
        )
    ]


def _boxes(images: Sequence[AnnotatedImage]) -> int:
    return sum(int((~image.iscrowd).sum()) for image in images)
