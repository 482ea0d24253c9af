"""A real network, and the settings that every test of this folder runs with."""

import pytest

from tasks.detector.network import Network
from tasks.detector.runtime import prepare_runtime
from tests.detector.small_network import V2, small_network


@pytest.fixture(scope="session", autouse=True)
def deterministic() -> None:
    """As in training; TensorFlow has no way back, so all tests here run like this."""
    prepare_runtime(1)


@pytest.fixture(scope="module")
def network() -> Network:
    """Of the default model at 64 px and two classes; tests of one module share it and what they do to it."""
    return small_network(V2)
