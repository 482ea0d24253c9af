"""Where nothing differs, few test sets name a slice; where something does, most name it."""

import pytest

from tests.metrics.slice_errors import named_slices, small_is_harder, south_is_harder


def test_where_nothing_differs_few_test_sets_name_a_slice() -> None:
    named = named_slices(images=40, sets=40)
    # At 5 %, 7 or more of 40 do so once in 300 times.
    assert sum(map(bool, named)) <= 6


@pytest.mark.slow
@pytest.mark.parametrize("images", [30, 60])
def test_where_nothing_differs_at_most_5_percent_of_200_test_sets_name_a_slice(images: int) -> None:
    assert sum(map(bool, named_slices(images, sets=200))) <= 10


def test_a_camera_on_which_half_is_missed_is_named_in_most_test_sets() -> None:
    named = named_slices(images=60, sets=20, harm=south_is_harder)
    assert sum("camera: camera south" in titles for titles in named) >= 10


def test_small_boxes_of_which_half_is_missed_are_named_in_most_test_sets() -> None:
    named = named_slices(images=150, sets=10, harm=small_is_harder)
    assert sum("size: small boxes" in titles for titles in named) >= 6
