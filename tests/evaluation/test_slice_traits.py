"""What divides the test images: folders, words of the annotations, light and focus."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.evaluation.slice_traits import MeasuringDetector, folders_of, traits_of
from tasks.images.light_and_focus import LightAndFocus
from tests.metrics.cases import annotated, dataset, detect


def named(*names):
    return [replace(annotated(), file_name=name) for name in names]


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["north/a.jpg", "south/b.jpg", "north/c.jpg"], ["north", "south", "north"]),
        (["test/north/a.jpg", "test/south/b.jpg"], ["north", "south"]),
        (["north/images/a.jpg", "south/images/b.jpg"], ["north", "south"]),
        (["site/north/a.jpg", "site/south/b.jpg"], ["north", "south"]),
        (["north/1/a.jpg", "south/2/b.jpg"], ["north", "south"]),
        (["a.jpg", "north/b.jpg", "south/c.jpg"], ["", "north", "south"]),
        (["train/a.jpg", "test/b.jpg"], ["", ""]),
        (["a.jpg", "b.jpg"], ["", ""]),
        ([], []),
    ],
    ids=["first level", "below a split", "above images", "second level", "two levels", "some", "splits", "none", "no"],
)
def test_folders_are_those_of_the_first_level_that_has_several(names, folders):
    assert folders_of(named(*names)) == folders


def test_more_folders_than_slices_can_be_are_none():
    assert set(folders_of(named(*[f"day {i}/a.jpg" for i in range(21)]))) == {""}
    assert len(set(folders_of(named(*[f"day {i}/a.jpg" for i in range(20)])))) == 20


def test_words_of_the_annotations_stand_beside_the_folders():
    one, other = named("north/a.jpg", "south/b.jpg")
    test = dataset(replace(one, slices={"camera": "x", "weather": "rain"}), replace(other, slices={"camera": "y"}))
    traits = traits_of(test, [LightAndFocus(10.0, 0.5), LightAndFocus(90.0, 0.25)])
    assert traits.words == {"folder": ["north", "south"], "camera": ["x", "y"], "weather": ["rain", ""]}
    assert {each.divided_by: list(each.values) for each in traits.numbers} == {
        "brightness": [10.0, 90.0],
        "sharpness": [0.5, 0.25],
    }


def test_a_column_called_folder_replaces_the_folders():
    test = dataset(*(replace(image, slices={"folder": "mine"}) for image in named("north/a.jpg", "south/b.jpg")))
    assert traits_of(test, [LightAndFocus(1.0, 1.0)] * 2).words == {"folder": ["mine", "mine"]}


class Finder:
    classes = ("cat", "dog")

    def detect(self, images):
        return [detect(([0.0, 0.0, 9.0, 9.0], "cat", 0.5)) for _ in images]


def test_photos_are_measured_in_the_order_that_the_detector_is_given_them():
    measuring = MeasuringDetector(Finder())
    photos = [np.full((20, 30, 3), grey, dtype=np.uint8) for grey in (10, 200, 90)]
    assert [len(measuring.detect(batch)) for batch in (photos[:2], photos[2:])] == [2, 1]
    assert measuring.classes == ("cat", "dog")
    assert [each.brightness for each in measuring.measured] == [10, 200, 90]
