"""Malformed YOLO, Label Studio, images, archives and settings: each ends in its sentence, and in nothing worse."""

import pytest

from tests.malformed.confined import Confined
from tests.malformed.expectations import ELSEWHERE, check


@pytest.fixture(scope="module")
def confined():
    with Confined() as confined:
        yield confined


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_malformed_input_ends_with_the_expected_message(tmp_path, confined, name):
    check(name, tmp_path / "case", confined)
