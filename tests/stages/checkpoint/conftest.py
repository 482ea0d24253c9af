"""A base to write, and a zoo that is served."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tasks.ground.files import sha256_of
from tasks.weights.packed_weights import write_packed
from tests.file_server import serving


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
    """The folder of the shipped base, with a small one in it."""
    folder = tmp_path / "weights"
    weights = folder / "mobilenet_v2_fpnlite.npz"
    write_packed({"model/_feature_extractor/x/kernel": np.full((2, 2), 0.5, np.float32)}, weights)
    card = {"sha256": sha256_of(weights), "origin": "made for a test", "licence": "Apache-2.0"}
    (folder / "mobilenet_v2_fpnlite.json").write_text(json.dumps(card))
    monkeypatch.setattr("tasks.weights.shipped_base.FOLDER", folder)
    return folder
