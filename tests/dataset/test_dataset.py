"""Images and data sets: what their constructors refuse, and counting."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags


def image(name="a.jpg", classes=("cat", "dog", "cat")):
    n = len(classes)
    return AnnotatedImage(
        file_name=name,
        width=100,
        height=50,
        boxes=as_boxes([[i, 0, i + 10, 10] for i in range(n)]),
        classes=tuple(classes),
        difficult=flags(n),
        iscrowd=flags(n, [i == 1 for i in range(n)]),
        source="a.xml",
        sha256="00",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("boxes", as_boxes([[0, 0, 1, 1]])), ("difficult", flags(2)), ("iscrowd", flags(4))],
    ids=["boxes", "difficult", "iscrowd"],
)
def test_arrays_of_another_length_than_the_classes_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"a\.jpg: expected {field} of shape"):
        dataclasses.replace(image(), **{field: value})


def test_boxes_are_resized_with_the_image_by_a_factor_for_each_side():
    scaled = image().at_size(50, 100)
    assert (scaled.width, scaled.height, scaled.classes) == (50, 100, ("cat", "dog", "cat"))
    assert scaled.boxes.tolist() == [[0, 0, 5, 20], [0.5, 0, 5.5, 20], [1, 0, 6, 20]]


def test_an_image_resized_to_its_own_size_is_unchanged():
    same = image()
    assert same.at_size(100, 50) is same


def test_keep_selects_objects_with_all_of_their_fields():
    kept = image().keep(np.array([False, True, True]))
    assert kept.classes == ("dog", "cat")
    assert kept.boxes[:, 0].tolist() == [1, 2]
    assert kept.iscrowd.tolist() == [True, False]
    assert (kept.file_name, kept.source, kept.sha256) == ("a.jpg", "a.xml", "00")


def test_an_empty_mask_gives_an_image_without_objects():
    kept = image().keep(np.zeros(3, dtype=bool))
    assert kept.classes == ()
    assert kept.boxes.shape == (0, 4)


def test_box_counts_include_classes_without_a_box():
    dataset = Dataset(Path("data"), ("bird", "cat", "dog"), (image(), image("b.jpg", ("cat",)), image("c.jpg", ())))
    assert dataset.box_counts() == {"bird": 0, "cat": 3, "dog": 1}


def test_an_image_path_is_below_the_root():
    dataset = Dataset(Path("../photos"), ("cat",), (image("train/a.jpg", ("cat",)),))
    assert dataset.image_path(dataset.images[0]) == Path("../photos/train/a.jpg")


def test_flags_are_false_unless_given():
    assert flags(2).tolist() == [False, False]
    assert flags(2, [True, False]).tolist() == [True, False]
