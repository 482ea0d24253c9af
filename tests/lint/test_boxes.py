from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.dataset.coco_json import read_coco
from tasks.detector.model_messages import resized_config
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import config_text
from tasks.lint.alternatives import Alternatives
from tasks.lint.boxes import check_anchors, check_small
from tasks.model.anchors import Anchors
from tasks.model.definitions import MODELS
from tasks.model.geometry import ModelGeometry, model_geometry
from tasks.model.resizer import Resizer
from tasks.params import read_params
from tasks.stages.ingest import ingest
from tests.lint.pictures import picture
from tests.real_data import DATASETS

GEOMETRY = ModelGeometry(Resizer(width=320, height=320), Anchors((np.array([[32.0, 32.0]]),)), 0.5, True, 8)
LARGER = replace(GEOMETRY, resizer=Resizer(width=640, height=640))
FITTING, TINY, HUGE = ("mug", 32.0, 32.0), ("mug", 16.0, 16.0), ("mug", 200.0, 200.0)


def choices(larger=(), others=()):
    return Alternatives(dict(larger), dict(others), "set model.side_px: {0}")


def beyond(*boxes, geometry=GEOMETRY, larger=(), others=(), **picture_values):
    return check_anchors([picture(*boxes, **picture_values)], "small", geometry, choices(larger, others))


@pytest.mark.parametrize(("of", "warned"), [(30, False), (29, True)])
def test_more_than_a_tenth_of_a_class_beyond_the_anchors_gives_a_warning(of, warned):
    found = beyond(*[TINY] * 3, *[FITTING] * (of - 3))
    assert [(finding.level, finding.key, finding.value) for finding in found] == (
        [("warning", "model.name", "small")] if warned else []
    )
    if warned:
        assert found[0].why.startswith("10 % of mug (3 of 29) overlap none of its anchors by an IoU of 0.5")


@pytest.mark.parametrize(("count", "warned"), [(2, False), (3, True)])
def test_one_or_two_odd_boxes_give_no_warning(count, warned):
    assert bool(beyond(*[TINY] * count)) is warned


def test_a_box_at_exactly_the_matching_iou_is_matched():
    half = ("mug", 32.0, 16.0)
    assert beyond(half, half, half) == []


def test_crowds_and_images_without_boxes_are_left_out():
    assert beyond(TINY, TINY, TINY, crowd=True) == beyond() == []


def test_classes_are_counted_separately_and_listed_worst_first():
    hats = [("hat", 16.0, 16.0)] * 3
    (found,) = beyond(*[TINY] * 3, *[FITTING] * 3, *hats, *[("cup", 32.0, 32.0)] * 9)
    assert found.why.startswith("100 % of hat (3 of 3), 50 % of mug (3 of 6) overlap")


def test_the_outcome_depends_on_the_matcher():
    assert "its single best anchor" in beyond(TINY, TINY, TINY)[0].why
    assert "learns nothing" in beyond(TINY, TINY, TINY, geometry=replace(GEOMETRY, force_match=False))[0].why


def test_a_model_that_halves_such_boxes_is_named_with_its_cost():
    (found,) = beyond(TINY, TINY, TINY, others={"same": GEOMETRY, "larger": LARGER})
    assert found.remedy == "larger (model.side_px: null) would leave 0 % of them, with 4 times the pixels"


def test_a_larger_input_comes_before_another_model():
    (found,) = beyond(TINY, TINY, TINY, larger={640: LARGER}, others={"larger": LARGER})
    assert found.remedy == "set model.side_px: 640, which would leave 0 % of them, for about 4 times the time"


def test_an_input_that_leaves_more_than_half_of_them_is_no_remedy():
    (found,) = beyond(TINY, *[HUGE] * 2, larger={640: LARGER}, others={"other": replace(GEOMETRY, matched_iou=0.01)})
    assert found.remedy == "other (model.side_px: null) would leave 0 % of them, with 1 times the pixels"


def test_the_boxes_that_the_named_model_leaves_are_counted():
    (found,) = beyond(TINY, TINY, TINY, TINY, HUGE, others={"larger": LARGER})
    assert found.remedy.startswith(
        "larger (model.side_px: null) would leave 20 % of them, with 4 times the pixels; a pipeline.config"
    )


@pytest.mark.parametrize("others", [{}, {"larger": LARGER}])
def test_a_config_of_ones_own_is_the_remedy_where_no_model_helps(others):
    (found,) = beyond(HUGE, HUGE, HUGE, others=others)
    assert found.remedy.startswith("a pipeline.config of your own")


@pytest.mark.parametrize(("side", "warned"), [(8.0, False), (7.9, True)])
def test_boxes_smaller_than_a_cell_of_the_finest_feature_map_give_a_warning(side, warned):
    # Twice as large an image: halved at the input.
    images = [picture(*[("mug", 2 * side, 2 * side)] * 3, side=640)]
    found = check_small(images, "small", GEOMETRY, choices({640: LARGER}))
    assert [finding.remedy for finding in found] == (
        ["set model.side_px: 640, which would leave 0 % of them, for about 4 times the time"] if warned else []
    )


@pytest.mark.parametrize(("of", "warned"), [(30, False), (29, True)])
def test_small_boxes_give_a_warning_above_a_tenth_of_all(of, warned):
    images = [picture(*[("mug", 4.0, 4.0)] * 3, *[FITTING] * (of - 3))]
    assert bool(check_small(images, "small", GEOMETRY, choices())) is warned


def test_no_boxes_give_no_warning():
    for images in ([], [picture()]):
        assert check_small(images, "small", GEOMETRY, choices()) == []


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the real data sets are not beside the repository")
def test_the_platelets_of_real_blood_smears_are_found_to_need_a_larger_input(tmp_path):
    folder = DATASETS / "bccd"
    params = read_params(Path(__file__).parents[2] / "params.yaml").ingest
    ingest_params = params.model_copy(update={"source": folder / "annotations", "images": folder / "images"})
    ingest(ingest_params, ingested=tmp_path / "ingested.json")
    images = [image for image in read_coco(tmp_path / "ingested.json").images if image.width]
    name = "ssd_mobilenet_v2_fpnlite_320x320"
    config = pipeline_proto(MODELS[name])
    small, *larger = (
        model_geometry(config_text(resized_config(config, side)), Path(name)) for side in (320, 384, 512, 640)
    )
    (found,) = check_anchors(images, name, small, choices(zip((384, 512, 640), larger, strict=True)))
    assert found.why.startswith("49 % of Platelets (178 of 361) overlap none of its anchors")
    assert (
        found.remedy == "set model.side_px: 512, which would leave less than 1 % of them, for about 2.6 times the time"
    )
    assert check_anchors(images, name, larger[-1], choices()) == []
