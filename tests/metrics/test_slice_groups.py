"""Which images, boxes and detections are in which slice."""

from collections.abc import Sequence

import numpy as np
import pytest

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.detections import Detections
from tasks.metrics.matching import Matches, match_detections
from tasks.metrics.slice_groups import MOST_WORDS, Slice, crowding, slices_of_boxes, thirds, words
from tests.metrics.cases import annotated, dataset, detect

SMALL, MEDIUM, LARGE = [100.0, 100.0, 108.0, 108.0], [60.0, 60.0, 90.0, 90.0], [20.0, 20.0, 90.0, 90.0]


def matched(images: Sequence[AnnotatedImage], found: Sequence[Detections] | None = None) -> Matches:
    return match_detections(dataset(*images), found or [detect() for _ in images])


def members(slices: Sequence[Slice]) -> list[list[int]]:
    return [np.flatnonzero(each.images).tolist() for each in slices if each.images is not None]


def test_thirds_are_cut_by_rank_and_equal_values_stay_together() -> None:
    matches = matched([annotated()] * 7)
    slices = thirds(matches, "light", np.array([5.0, 1, 2, 9, 5, 5, 3]), ["dark", "middle", "bright"], "of 255")
    assert members(slices) == [[1, 2], [0, 4, 5, 6], [3]]
    assert [each.title for each in slices] == ["dark", "middle", "bright"]
    assert [each.rule for each in slices] == ["1 to 2 of 255", "3 to 5 of 255", "9 of 255"]


def test_images_that_are_all_alike_are_one_slice() -> None:
    assert members(thirds(matched([annotated()] * 4), "light", np.full(4, 7.0), list("abc"), "")) == [[0, 1, 2, 3]]
    assert thirds(matched([]), "light", np.zeros(0), list("abc"), "") == []


def test_crowding_counts_boxes_and_leaves_crowds_out() -> None:
    images = [
        annotated((SMALL, "cat"), (LARGE, "cat"), crowd=[1]),
        annotated(*[(MEDIUM, "cat")] * 3),
        annotated(*[(MEDIUM, "cat")] * 9),
    ]
    slices = crowding(dataset(*images), matched(images))
    assert [each.title for each in slices] == ["images with 1 box", "images with 3 boxes", "images with 9 boxes"]


def test_words_with_enough_images_are_slices_and_the_rest_is_named() -> None:
    values = ["north"] * 6 + ["south"] * 5 + ["east"] * 2 + [""] * 3
    slices, left_out = words(matched([annotated()] * 16), "camera", values)
    assert [each.title for each in slices] == ["camera north", "camera south"]
    assert members(slices) == [list(range(6)), list(range(6, 11))]
    assert left_out.startswith("camera: 1 of 3 values with fewer than 5 test images")
    assert left_out.endswith("(east)")


def test_of_many_words_those_with_most_images_are_slices() -> None:
    values = [f"day {i:02d}" for i in range(MOST_WORDS + 3) for _ in range(5 + (i > 2))]
    slices, left_out = words(matched([annotated()] * len(values)), "day", values)
    assert len(slices) == MOST_WORDS
    assert "(day 00, day 01, day 02)" in left_out


def test_a_long_word_is_shortened() -> None:
    (one,), left_out = words(matched([annotated()] * 6), "camera", ["n" * 5000] * 5 + ["s" * 5000])
    assert len(one.title) < 100
    assert len(left_out) < 200


def test_without_words_there_is_no_slice() -> None:
    assert words(matched([annotated()] * 3), "camera", ["", "", ""]) == ([], "")


def by_title(images: Sequence[AnnotatedImage], found: Sequence[Detections]) -> dict[str, Slice]:
    slices = slices_of_boxes(dataset(*images), found, matched(images, found))
    return {each.title: each for each in slices}


def test_boxes_are_small_medium_or_large_in_their_image() -> None:
    slices = by_title([annotated((SMALL, "cat"), (MEDIUM, "cat"), (LARGE, "cat"))], [detect()])
    for i, title in enumerate(("small boxes", "medium boxes", "large boxes")):
        assert slices[title].boxes.tolist() == [i == place for place in range(3)]
        assert slices[title].images is None


@pytest.mark.parametrize(
    ("box", "at_the_edge"),
    [
        ([0.0, 50.0, 40.0, 90.0], True),
        ([1.0, 50.0, 40.0, 90.0], True),
        ([3.0, 50.0, 40.0, 90.0], False),
        ([100.0, 160.0, 140.0, 200.0], True),
        ([100.0, 100.0, 203.0, 140.0], True),
    ],
    ids=["touching", "a pixel off", "away", "at the bottom", "beyond"],
)
def test_boxes_are_at_the_edge_or_away_from_it(box: list[float], at_the_edge: bool) -> None:
    slices = by_title([annotated((box, "cat"))], [detect()])
    assert slices["boxes at the image's edge"].boxes.tolist() == [at_the_edge]
    assert slices["boxes away from the image's edge"].boxes.tolist() == [not at_the_edge]


def test_a_detection_is_with_the_box_that_it_found_or_overlaps_and_else_with_boxes_like_its_own() -> None:
    loose = [20.0, 20.0, 45.0, 45.0]
    found = detect((LARGE, "cat", 0.9), (loose, "dog", 0.8), ([150.0, 150.0, 158.0, 158.0], "cat", 0.7))
    images = [annotated((LARGE, "cat"))]
    slices = by_title(images, [found])
    matches = matched(images, [found])
    large = slices["large boxes"].detections[np.argsort(matches.source)]
    small = slices["small boxes"].detections[np.argsort(matches.source)]
    assert large.tolist() == [True, True, False]
    assert small.tolist() == [False, False, True]


def test_without_boxes_detections_have_slices_of_their_own() -> None:
    slices = by_title([annotated()], [detect((SMALL, "cat", 0.5))])
    assert slices["small boxes"].detections.tolist() == [True]
    assert all(each.boxes.shape == (0,) for each in slices.values())
