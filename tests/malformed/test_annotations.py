"""Malformed Pascal VOC, paths, CSV and COCO: each ends in its sentence, and in nothing worse."""

import pytest

from tests.malformed.confined import Confined
from tests.malformed.corpus import CORPUS
from tests.malformed.expectations import IN_ANNOTATIONS, expected_outcome
from tests.malformed.outcome import outcome


@pytest.fixture(scope="module")
def confined():
    with Confined() as confined:
        yield confined


@pytest.mark.parametrize("name", IN_ANNOTATIONS)
def test_a_malformed_input_ends_with_the_expected_message(tmp_path, confined, name):
    assert outcome(CORPUS[name], tmp_path / "case", confined) == expected_outcome(name)
