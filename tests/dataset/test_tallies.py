from pathlib import Path

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.tallies import class_rows, class_tallies, image_counts, size_rows

CLASSES = ("cat", "dog", "emu")


def image(*objects: tuple[str, list[float]]) -> AnnotatedImage:
    n = len(objects)
    boxes = as_boxes([box for _, box in objects])
    return AnnotatedImage("a.jpg", 200, 100, boxes, tuple(name for name, _ in objects), flags(n), flags(n))


SPLITS = {
    "train": Dataset(Path(), CLASSES, (image(("cat", [0, 0, 20, 10]), ("cat", [0, 0, 200, 100])), image())),
    "test": Dataset(Path(), CLASSES, (image(("dog", [0, 0, 1, 1]), ("cat", [0, 0, 20, 10])),)),
}


def test_classes_are_sorted_by_their_boxes_and_one_without_boxes_is_listed() -> None:
    assert class_rows(class_tallies(SPLITS)) == [
        {"class": "cat", "images": 2, "boxes": 3, "train": 2, "test": 1},
        {"class": "dog", "images": 1, "boxes": 1, "train": 0, "test": 1},
        {"class": "emu", "images": 0, "boxes": 0, "train": 0, "test": 0},
    ]
    assert class_rows(class_tallies({})) == []


def test_an_image_with_two_boxes_of_a_class_counts_once() -> None:
    assert image_counts(SPLITS["train"].images) == {"cat": 1}


def test_the_size_of_a_box_is_the_root_of_its_share_of_the_image() -> None:
    rows = size_rows(SPLITS)
    found = {row["side"]: (row["train"], row["test"]) for row in rows if row["boxes"]}
    assert found == {"00-01 %": (0, 1), "08-12 %": (1, 1), "64-100 %": (1, 0)}
    assert [row["side"] for row in rows] == sorted(row["side"] for row in rows)


def test_splits_without_boxes_list_every_size_with_0_boxes() -> None:
    rows = size_rows({"train": Dataset(Path(), CLASSES, ())})
    assert {row["boxes"] for row in rows} == {0}
