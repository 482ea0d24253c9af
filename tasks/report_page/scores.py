"""The headline figures of a page, or why there are none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import FEW_IMAGES
from tasks.report_page import sections

if TYPE_CHECKING:
    pass

_TFLITE_MAY_LOSE = 0.02


def scores(figures: Mapping[str, Any], analysis: Mapping[str, Any], parts: Mapping[str, Dataset]) -> dict[str, Any]:
    """Headline figures of both exports, and whether there are any."""
    test = parts["test"]
    headlines = sections.headlines(figures, analysis)
    boxes = sum(int((~image.iscrowd).sum()) for image in test.images)
    scored = bool(boxes) and any(pair.saved_model is not None or pair.tflite is not None for pair in headlines)
    difference = headlines[0].difference
    return {
        "scored": scored,
        "why_not_scored": _why_not_scored(parts, boxes),
        "images": len(test.images),
        "boxes": boxes,
        "headlines": headlines,
        "further": sections.further(figures),
        "lost_in_tflite": difference is not None and abs(difference) > _TFLITE_MAY_LOSE,
    }


def _why_not_scored(parts: Mapping[str, Dataset], test_boxes: int) -> str:
    images = sum(len(part.images) for part in parts.values())
    if test_boxes:
        why = "the evaluation holds none. Run the evaluate stage again."
    elif parts["test"].images:
        why = "the test images hold no boxes. Annotate more images, or split with another seed."
    elif images <= FEW_IMAGES:
        why = f"{images} images are too few to cut a test part from. See docs/few-images.md for what to do instead."
    else:
        why = "the test part holds no images. Set split.test_fraction in params.yaml above 0."
    return f"No figures could be had: {why}"
