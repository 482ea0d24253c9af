"""A base to write, and a zoo that is served."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tasks.weights.shipped import FPNLITE, IMAGENET, MOBILENET_V1, SSD
from tests.file_server import serving
from tests.weights.shipped_files import write_shipped


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("models/base")


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of the folder `zoo`."""
    monkeypatch.setenv("no_proxy", "*")
    with serving(tmp_path / "zoo") as server:
        yield server.address


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the shipped weights, with a small file of each name in it."""
    folder = tmp_path / "weights"
    arrays = {"model/_feature_extractor/x/kernel": np.full((2, 2), 0.5, np.float32)}
    for name in (FPNLITE, MOBILENET_V1, IMAGENET):
        write_shipped(folder, name, arrays)
    write_shipped(folder, SSD, arrays, classes=["Person", "Car"])
    monkeypatch.setattr("tasks.weights.shipped.FOLDER", folder)
    return folder
