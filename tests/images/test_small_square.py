"""Photos at the size that is embedded."""

import numpy as np
import pytest

from tasks.images.small_square import SIDE_PX, small_square


@pytest.mark.parametrize("size", [(1, 1), (480, 640), (SIDE_PX, SIDE_PX), (1000, 30)], ids=str)
def test_a_photo_of_any_size_is_scaled_once_and_then_stays_as_it_is(size: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    small = small_square(photo)
    assert small.shape == (SIDE_PX, SIDE_PX, 3)
    np.testing.assert_array_equal(small_square(small), small)
