"""The splits, and the label map against the training images."""

from collections.abc import Mapping, Sequence

from tasks.artifacts.lint import Finding
from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.tallies import FEW_IMAGES, image_counts
from tasks.ground.text import shortened
from tasks.model.label_map import LABEL_MAP

_EMPTY = {
    "val": (
        "it has no image or no box: no checkpoint can be chosen by it, and the last one counts as the best",
        "raise split.val_fraction",
    ),
    "test": ("it has no image or no box: there will be no test figures", "raise split.test_fraction"),
}
_FEW_IMAGES_REMEDY = (
    f"{FEW_IMAGES} images and fewer are all for training: docs/few-images.md says how to measure a model then"
)
_MOST_LISTED = 5


def check_splits(classes: Sequence[str], splits: Mapping[str, Sequence[AnnotatedImage]]) -> list[Finding]:
    """Empty splits, and classes of the label map without a training box; `splits` has `train`, `val` and `test`."""
    findings = _check_train(classes, splits["train"])
    has_few_images = sum(map(len, splits.values())) <= FEW_IMAGES
    for split, (why, remedy) in _EMPTY.items():
        if not _count_boxes(splits[split]):
            remedy_here = _FEW_IMAGES_REMEDY if has_few_images else remedy
            findings.append(Finding("warning", f"the {split} split", "", why, remedy_here))
    return findings


def listed(names: Sequence[str]) -> str:
    """The first five of `names`, and how many more there are."""
    shown = ", ".join(shortened(name) for name in names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown


def _check_train(classes: Sequence[str], images: Sequence[AnnotatedImage]) -> list[Finding]:
    if not images:
        return [
            Finding(
                "error",
                "the train split",
                "",
                "it has no image",
                "lower split.val_fraction and split.test_fraction, or see what the gate dropped (docs/data-gate.md); "
                "if the data came with a split, set split.author_split: ignore",
            )
        ]
    if not classes or not _count_boxes(images):
        return [
            Finding(
                "error",
                "the train split",
                "",
                f"its {len(images)} images have no box: there is nothing to learn",
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
            LABEL_MAP,
            listed(missing),
            "no training image shows it: the class head has it, but the model will not detect it",
            "annotate some, or try another split.seed",
        )
    ]


def _count_boxes(images: Sequence[AnnotatedImage]) -> int:
    return sum(int((~image.iscrowd).sum()) for image in images)
