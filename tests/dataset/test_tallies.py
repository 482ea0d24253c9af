from pathlib import Path

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.tallies import class_rows, image_counts, size_rows

CLASSES = ("cat", "dog", "emu")


def image(*objects: tuple[str, list[float]]) -> AnnotatedImage:
    n = len(objects)
    boxes = as_boxes([box for _, box in objects])
    return AnnotatedImage("a.jpg", 200, 100, boxes, tuple(name for name, _ in objects), flags(n), flags(n))


PARTS = {
    "train": Dataset(Path(), CLASSES, (image(("cat", [0, 0, 20, 10]), ("cat", [0, 0, 200, 100])), image())),
    "test": Dataset(Path(), CLASSES, (image(("dog", [0, 0, 1, 1]), ("cat", [0, 0, 20, 10])),)),
}


def test_classes_stand_in_the_order_of_their_boxes_also_those_without() -> None:
    assert class_rows(PARTS) == [
        {"class": "cat", "images": 2, "boxes": 3, "train": 2, "test": 1},
        {"class": "dog", "images": 1, "boxes": 1, "train": 0, "test": 1},
        {"class": "emu", "images": 0, "boxes": 0, "train": 0, "test": 0},
    ]
    assert class_rows({}) == []


def test_an_image_with_two_boxes_of_a_class_counts_once() -> None:
    assert image_counts(PARTS["train"].images) == {"cat": 1}


def test_a_box_is_as_large_as_the_root_of_its_share_of_the_image() -> None:
    rows = size_rows(PARTS)
    found = {row["side"]: (row["train"], row["test"]) for row in rows if row["boxes"]}
    assert found == {"00-01 %": (0, 1), "08-12 %": (1, 1), "64-100 %": (1, 0)}
    assert [row["side"] for row in rows] == sorted(row["side"] for row in rows)


def test_parts_without_boxes_have_every_size_with_none() -> None:
    rows = size_rows({"train": Dataset(Path(), CLASSES, ())})
    assert {row["boxes"] for row in rows} == {0}
