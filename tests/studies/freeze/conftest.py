"""The photographs that made-up runs are scored on."""

import pytest

from tasks.annotation.dataset import Dataset
from tests.studies.freeze.runs import photographs


@pytest.fixture
def test_part() -> Dataset:
    return photographs(12)
