"""The figures of slices, and which are named."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.artifacts.slices import SliceFigures
from tasks.dataset.detections import Detections
from tasks.metrics.coco import coco_figures
from tasks.metrics.matching import match_detections
from tasks.metrics.slices import Traits, slices_of
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.slice_errors import dark_is_harder, south_is_harder
from tests.metrics.slice_figures import only_images
from tests.metrics.slice_world import Harm, draw_world, no_harm

SQUARE = [10.0, 10.0, 50.0, 50.0]


def figures(images: int, harm: Harm = no_harm, seed: int = 1) -> dict[str, SliceFigures]:
    truth, found, traits = draw_world(np.random.default_rng(seed), images, harm)
    tested = slices_of(truth, found, match_detections(truth, found), traits).tested
    return {f"{each.divided_by}: {each.title}": each for each in tested}


def test_a_slice_of_images_has_the_figures_of_its_images_alone() -> None:
    truth, found, traits = draw_world(np.random.default_rng(1), 40)
    cameras = np.array(traits.words["camera"])
    of_slice = {each.title: each for each in slices_of(truth, found, match_detections(truth, found), traits).tested}
    own = of_slice["camera north"]
    north = coco_figures(*only_images(truth, found, np.flatnonzero(cameras == "north")))
    rest = coco_figures(*only_images(truth, found, np.flatnonzero(cameras != "north")))
    assert own.mean_ap == pytest.approx(north.mean_ap)
    assert own.ap50 == pytest.approx(north.ap50)
    assert own.rest_ap == pytest.approx(rest.mean_ap)
    assert own.images == (cameras == "north").sum()
    assert own.mean_ap_interval
    assert own.mean_ap_interval.low < own.mean_ap < own.mean_ap_interval.high + 0.1


def test_slices_of_boxes_divide_all_boxes() -> None:
    found = figures(60)
    boxes = sum(each.boxes for name, each in found.items() if name.startswith("edge: "))
    assert boxes == sum(each.boxes for name, each in found.items() if name.startswith("crowding: "))
    at_edge = found["edge: boxes at the image's edge"]
    away = found["edge: boxes away from the image's edge"]
    assert at_edge.rest_ap == pytest.approx(away.shared_ap)
    assert at_edge.shared_ap == pytest.approx(away.rest_ap)


def test_the_rest_is_compared_over_the_classes_that_both_have() -> None:
    images = [annotated((SQUARE, "cat")), annotated((SQUARE, "cat"), ([100.0, 100.0, 150.0, 150.0], "dog"))] * 8
    found: list[Detections] = [detect((SQUARE, "cat", 0.9))] * 16
    truth = dataset(*images)
    traits = Traits(words={"room": ["one", "two"] * 8})
    one, two = (
        each
        for each in slices_of(truth, found, match_detections(truth, found), traits).tested
        if each.divided_by == "room"
    )
    assert (one.mean_ap, two.mean_ap) == pytest.approx((1.0, 0.5))
    assert (two.shared_ap, two.rest_ap) == pytest.approx((1.0, 1.0))
    assert not two.surely_worse


def test_a_harder_camera_is_named_and_no_other() -> None:
    found = figures(80, south_is_harder)
    assert [name for name, each in found.items() if each.surely_worse] == ["camera: camera south"]
    south = found["camera: camera south"]
    assert (south.difference or 0.0) < -0.1
    assert south.p_value <= 0.05


def test_dark_images_are_named_where_they_are_harder() -> None:
    found = figures(80, dark_is_harder, seed=2)
    assert found["brightness: low"].surely_worse


def test_slices_in_few_images_are_left_out_with_a_phrase() -> None:
    truth, found, traits = draw_world(np.random.default_rng(1), 30)
    rare = replace(traits, words={"camera": ["north"] * 4 + ["south"] * 26})
    content = slices_of(truth, found, match_detections(truth, found), rare)
    assert not any(each.divided_by == "camera" for each in content.tested)
    assert any(phrase.startswith("camera: 1 of 2 values with fewer than 5") for phrase in content.left_out)
    assert "camera south: the rest is in 4 images" in content.left_out


def test_of_many_columns_the_first_20_are_looked_at() -> None:
    truth, found, traits = draw_world(np.random.default_rng(1), 20)
    many = replace(traits, words={f"column {i}": ["a", "b"] * 10 for i in range(22)})
    content = slices_of(truth, found, match_detections(truth, found), many)
    assert len({each.divided_by for each in content.tested if each.divided_by.startswith("column")}) == 20
    assert {"column 20: not looked at", "column 21: not looked at"} <= set(content.left_out)


@pytest.mark.parametrize("images", [1, 14])
def test_a_small_test_split_has_no_slices_and_it_is_said(images: int) -> None:
    truth, found, traits = draw_world(np.random.default_rng(1), images)
    content = slices_of(truth, found, match_detections(truth, found), traits)
    assert content.tested == []
    (phrase,) = content.left_out
    assert phrase.endswith("slices need 15")


def test_without_a_test_split_there_is_nothing_to_say() -> None:
    truth = dataset()
    content = slices_of(truth, [], match_detections(truth, []), Traits())
    assert (content.tested, content.left_out) == ([], [])


def test_images_without_a_box_are_no_slice() -> None:
    truth = dataset(*[annotated()] * 20)
    found = [detect((SQUARE, "cat", 0.9))] * 20
    assert slices_of(truth, found, match_detections(truth, found), Traits()).tested == []
