"""A difference taken apart: the parts add up, and each has the interval of what it is the difference of."""

import numpy as np
import pytest

from tasks.metrics.decomposition import FigureParts, decompose
from tasks.metrics.differences import differences
from tasks.metrics.matching import Matches, match_detections
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.simulated import draw_for

BOX = [10.0, 10.0, 50.0, 50.0]
IMAGES = 12
TRUTH = dataset(*[annotated((BOX, "cat")) for _ in range(IMAGES)], classes=("cat",))


def finds(*images: int) -> Matches:
    """A detector that marks the box in these images, and nothing else."""
    own = [detect((BOX, "cat", 0.9)) if i in images else detect() for i in range(IMAGES)]
    return match_detections(TRUTH, own)


def mean_ap(found: list[FigureParts]) -> FigureParts:
    assert [each.name for each in found[:4]] == ["mAP", "AP50", "AP75", "AR100"]
    return found[0]


# Of 12 boxes 3 found: recall 3/12, so that 26 of COCO's 101 recalls (0 to 0.25) are reached, all at a precision of 1.
NOTHING, QUARTER, HALF, ALL = finds(), finds(0, 1, 2), finds(*range(6)), finds(*range(IMAGES))


def test_the_data_come_first_and_the_params_give_the_rest() -> None:
    found = mean_ap(decompose(QUARTER, ALL, HALF))
    assert found.whole == pytest.approx(75 / 101)
    assert found.data.change == found.data_first == pytest.approx((51 - 26) / 101)
    assert found.params.change == pytest.approx((101 - 51) / 101)
    assert found.data_last is None


def test_with_both_runs_in_between_each_part_is_the_mean_over_the_orders() -> None:
    # The data bring 25 recalls with the old params, and 101 with the new ones.
    found = mean_ap(decompose(QUARTER, ALL, HALF, NOTHING))
    assert (found.data_first, found.data_last) == pytest.approx((25 / 101, 101 / 101))
    assert found.data.change == pytest.approx((25 + 101) / 2 / 101)
    # The params lose 26 with the old data, and bring 50 with the new.
    assert found.params.change == pytest.approx((-26 + 50) / 2 / 101)


def test_a_factor_that_changes_no_detection_has_no_part_and_no_interval() -> None:
    found = mean_ap(decompose(QUARTER, ALL, QUARTER))
    assert (found.data.change, found.data.interval, found.data.verdict) == (0.0, None, "can't tell")
    assert found.params.change == found.whole
    assert found.params.interval == differences(QUARTER, ALL)[0].interval


@pytest.fixture(scope="module")
def simulated() -> list[Matches]:
    truth, found = draw_for(np.random.default_rng(5), 60, [0.5, 1.0, 0.8, 0.6])
    return [match_detections(truth, own) for own in found]


def test_the_interval_of_a_part_is_that_of_its_own_difference(simulated: list[Matches]) -> None:
    before, after, new_data, _ = simulated
    found = decompose(before, after, new_data)
    for own, first, second in zip(found, differences(before, new_data), differences(new_data, after), strict=True):
        assert own.name == first.name
        for part, expected in ((own.data, first), (own.params, second)):
            assert (part.change, part.verdict) == (pytest.approx(expected.change), expected.verdict)
            assert part.interval == pytest.approx(expected.interval)


@pytest.mark.parametrize("in_between", [1, 2], ids=["one run in between", "two"])
def test_the_parts_of_every_figure_add_up_to_its_difference(simulated: list[Matches], in_between: int) -> None:
    before, after, *others = simulated
    found = decompose(before, after, *others[:in_between])
    assert [each.name for each in found] == [each.name for each in differences(before, after)]
    for each in found:
        assert each.data.change + each.params.change == pytest.approx(each.whole, abs=1e-12)


def test_the_mean_over_both_orders_does_not_depend_on_which_factor_is_called_data(simulated: list[Matches]) -> None:
    before, after, new_data, new_params = simulated
    one, other = decompose(before, after, new_data, new_params), decompose(before, after, new_params, new_data)
    for first, second in zip(one, other, strict=True):
        assert first.data.change == pytest.approx(second.params.change)
        assert first.data.interval == pytest.approx(second.params.interval)


def test_a_class_without_a_box_has_no_parts() -> None:
    with_owl = dataset(*[annotated((BOX, "cat")) for _ in range(IMAGES)], classes=("cat", "owl"))
    matches = match_detections(with_owl, [detect() for _ in range(IMAGES)])
    assert [each.name for each in decompose(matches, matches, matches)][-1] == "AP of cat"
