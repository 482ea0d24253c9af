"""The photographs that made-up runs are scored on."""

import pytest

from tasks.dataset.dataset import Dataset
from tests.studies.freeze.runs import photographs


@pytest.fixture
def scored_on() -> Dataset:
    return photographs(12)
