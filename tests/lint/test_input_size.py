from dataclasses import replace

import numpy as np
import pytest

from tasks.lint.alternatives import Alternatives, set_size_of
from tasks.lint.input_size import check_size
from tasks.model.anchors import Anchors
from tasks.model.geometry import ModelGeometry
from tasks.model.resizer import Resizer
from tests.lint.pictures import picture

GEOMETRY = ModelGeometry(
    Resizer(width=320, height=320), Anchors((np.array([[32.0, 32.0], [64.0, 64.0]]),)), 0.5, True, 8
)
SIDES = (384, 512, 640)


def at(side_px: int, anchors: Anchors = GEOMETRY.anchors) -> ModelGeometry:
    return replace(GEOMETRY, resizer=Resizer(width=side_px, height=side_px), anchors=anchors)


def size_findings(*boxes, geometry=GEOMETRY, larger=None, model="a_model", side=320):
    larger = {side_px: at(side_px) for side_px in SIDES} if larger is None else larger
    images = [picture(*boxes, side=side)] if boxes else []
    return check_size(images, model, geometry, Alternatives(larger, {}, set_size_of(model)))


def squares(*sides: float) -> list[tuple[str, float, float]]:
    return [("mug", side, side) for side in sides]


def test_what_a_larger_input_shows_and_costs_is_said_in_one_sentence():
    # Of the anchor's 32 x 32 px, 17 px cover 28 % at 320 and, as 27 px, 72 % at 512.
    (finding,) = size_findings(*squares(*[17] * 5, *[40] * 20))
    assert (finding.level, finding.key, finding.value) == ("info", "model.name", "a_model")
    assert finding.why == (
        "the median training box measures 40 px (its shorter side) at its input of 320 x 320 px; at 512 px: 64 px, "
        "25 % more boxes matched (a box counts where an anchor overlaps it by an IoU of 0.5: 80 % here, 100 % there), "
        "about 2.6 times the time (the median photo's longer side is 320 px: beyond that no detail is added)"
    )
    assert finding.remedy == "set model.side_px: 512"


def test_photos_with_more_pixels_than_the_input_need_no_remark():
    (finding,) = size_findings(*squares(*[51] * 5, *[120] * 20), side=960)
    assert finding.why.endswith(", about 2.6 times the time")


@pytest.mark.parametrize(("of", "said"), [(21, True), (22, False)])
def test_less_than_a_twentieth_more_boxes_is_not_worth_saying(of, said):
    assert bool(size_findings(*squares(17, *[40] * (of - 1)))) is said


@pytest.mark.parametrize(("side", "said"), [(15.9, True), (16.0, False)])
def test_boxes_of_few_pixels_are_worth_saying_though_no_more_are_matched(side, said):
    # Anchors that grow with the input, as those of an SSD without a pyramid.
    growing = {side_px: at(side_px, Anchors((GEOMETRY.anchors.sizes * side_px / 320,))) for side_px in SIDES}
    findings = size_findings(*squares(*[side] * 3), larger=growing)
    assert [finding.remedy for finding in findings] == (["set model.side_px: 384"] if said else [])
    if said:
        assert "at 384 px: 19 px, no more boxes matched" in findings[0].why


def test_the_last_few_boxes_are_not_worth_the_largest_input():
    # 512 px match 10 of the 11 small boxes, 640 px the last one too.
    (finding,) = size_findings(*squares(*[17] * 10, 12, *[40] * 20))
    assert finding.remedy == "set model.side_px: 512"


def test_boxes_that_fit_or_that_no_size_helps_or_that_are_missing_give_no_finding():
    assert (
        size_findings(*squares(40, 50, 60))
        == size_findings(*squares(300, 300))
        == size_findings()
        == size_findings(*squares(17), larger={})
        == []
    )


def test_the_size_of_a_users_config_is_set_in_its_resizer():
    (finding,) = size_findings(*squares(17, 17), model="configs/mine.config")
    assert "512 px: 27 px, the first boxes matched" in finding.why
    assert finding.remedy == "write 512 for both sides in its image_resizer"
