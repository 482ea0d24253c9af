"""What several tests of predict-folder start from."""

import pytest

from tests.prediction.growing import Growing


@pytest.fixture
def growing(tmp_path):
    growing = Growing(tmp_path)
    growing.photos.mkdir()
    return growing
