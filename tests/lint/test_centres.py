"""The checks of boxes for a model without anchors: what shares a cell, what is smaller than one."""

from dataclasses import replace

import pytest

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.lint.alternatives import Alternatives
from tasks.lint.boxes import check_anchors, check_small
from tasks.lint.centres import check_centres
from tasks.lint.input_size import check_size
from tasks.model.anchors import Anchors
from tasks.model.geometry import ModelGeometry
from tasks.model.resizer import Resizer

GEOMETRY = ModelGeometry(Resizer(min_side=320, max_side=320), Anchors(()), 0.0, False, 4)
LARGER = replace(GEOMETRY, resizer=Resizer(min_side=640, max_side=640))
WITH_SIZES = Alternatives({640: LARGER}, {}, "set model.side_px: {0}")
WITHOUT = Alternatives({}, {}, "set model.side_px: {0}")


def centred(*centres: tuple[str, float, float], size: float = 20.0, crowd: bool = False) -> AnnotatedImage:
    """An image of 320 x 160 px with boxes around `(class, x, y)`."""
    n, half = len(centres), size / 2
    boxes = [[x - half, y - half, x + half, y + half] for _, x, y in centres]
    names = tuple(name for name, _, _ in centres)
    return AnnotatedImage("a.jpg", 320, 160, as_boxes(boxes), names, flags(n), flags(n, [crowd] * n))


def test_boxes_of_one_class_in_one_cell_are_counted_and_a_larger_input_is_the_remedy() -> None:
    images = [centred(("cup", 40.0, 40.0), ("cup", 43.9, 43.0), ("cup", 44.0, 40.0))] * 3
    (finding,) = check_centres(images, "a_model", GEOMETRY, WITH_SIZES)
    assert (finding.level, finding.key, finding.value) == ("warning", "model.name", "a_model")
    assert finding.why.startswith("33 % of the training boxes (3 of 9) have their centre in the same cell")
    assert "each 4 x 4 px of its input of 320 x 320 px" in finding.why
    assert finding.remedy is not None
    assert finding.remedy.startswith("set model.side_px: 640, which would leave 0 % of them")


def test_where_no_size_helps_tiles_are_the_remedy() -> None:
    images = [centred(("cup", 40.0, 40.0), ("cup", 40.0, 40.0))] * 3
    (finding,) = check_centres(images, "a_model", GEOMETRY, WITH_SIZES)
    assert finding.remedy == "photos cut into tiles show the objects larger"


@pytest.mark.parametrize(
    "images",
    [
        [],
        [centred(("cup", 40.0, 40.0), ("hat", 40.0, 40.0))] * 9,
        [centred(("cup", 40.0, 40.0), ("cup", 40.0, 40.0), crowd=True)] * 9,
        [centred(("cup", 40.0, 40.0), ("cup", 40.0, 40.0))] * 2 + [centred(("cup", 9.0, 9.0))],
    ],
    ids=["none", "two classes", "crowds", "two in all"],
)
def test_nothing_is_found_where_hardly_an_object_is_lost(images: list[AnnotatedImage]) -> None:
    assert check_centres(images, "a_model", GEOMETRY, WITHOUT) == []


def test_a_model_with_anchors_is_not_asked() -> None:
    images = [centred(("cup", 40.0, 40.0), ("cup", 40.0, 40.0))] * 9
    anchored = replace(GEOMETRY, anchors=Anchors((as_boxes([[0, 0, 32, 32]])[:, 2:],)))
    assert check_centres(images, "a_model", anchored, WITHOUT) == []


def test_boxes_miss_no_anchors_but_may_be_smaller_than_a_cell() -> None:
    images = [centred(("cup", 40.0, 40.0), ("cup", 90.0, 40.0), size=3.0)] * 3
    assert check_anchors(images, "a_model", GEOMETRY, WITH_SIZES) == []
    (small,) = check_small(images, "a_model", GEOMETRY, WITH_SIZES)
    assert "measure less than 4 px" in small.why
    assert small.remedy is not None
    assert small.remedy.startswith("set model.side_px: 640")


def test_what_a_larger_input_shows_is_said_without_anchors() -> None:
    wide, wider = (
        replace(each, resizer=Resizer(width=side, height=side)) for each, side in ((GEOMETRY, 320), (LARGER, 640))
    )
    (finding,) = check_size(
        [centred(("cup", 40.0, 40.0), size=8.0)], "a_model", wide, Alternatives({640: wider}, {}, "{}")
    )
    assert "anchor" not in finding.why
    assert "at 640 px: 16 px, about 4 times the time" in finding.why
