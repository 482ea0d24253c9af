"""studies/starts compares with the first edition of the base, which the user takes from git's history."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from tasks.artifacts.base import ARRAYS, DESCRIPTION, read_base_description
from tasks.detector.initialise import initialise
from tasks.detector.network import CLASS_HEAD
from tasks.detector.restore import restore
from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint
from tasks.weights.packed_weights import read_packed
from tasks.weights.shipped import FOLDER, FPNLITE
from tests.detector.small_network import V2, small_network

STARTS = Path(__file__).parents[2] / "studies" / "starts"
COMMAND = "git show 530e558:weights/mobilenet_v2_fpnlite.npz > old_base/weights.npz"


def test_the_folder_is_taken_as_the_file_of_weights_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arm = yaml.safe_load((STARTS / "trials.yaml").read_text())["arms"]["old_base"]
    source = Path(arm["checkpoint"]["source"])
    source.mkdir()
    shutil.copy(STARTS / "old_base" / DESCRIPTION, source / DESCRIPTION)
    # Its present edition has the same form.
    shutil.copy(FOLDER / f"{FPNLITE}.npz", source / ARRAYS)
    params = CheckpointParams(source=str(source), zoo_url="", sha256=None, class_names={})
    model = ModelParams(name="ssd_mobilenet_v2_fpnlite_320x320", side_px=None)
    assert checkpoint(params, model, base=tmp_path / "base")["kind"] == "weights"
    assert "the first weights/mobilenet_v2_fpnlite.npz" in read_base_description(tmp_path / "base").origin

    network = small_network(V2, num_classes=3)
    initialise(network, network.variables, seed=1)
    restored = restore(network, tmp_path / "base", ("a", "b", "c"))
    rows = {row.module: row for row in restored.summary().modules}
    assert rows.pop(CLASS_HEAD).restored == 0
    assert all(row.restored == row.variables > 0 for row in rows.values())
    values = read_packed(FOLDER / f"{FPNLITE}.npz")
    assert restored.keys == values.keys()
    for key, value in values.items():
        np.testing.assert_array_equal(network.variables[key].numpy(), value)


def test_the_readmes_command_gives_the_file_that_base_json_describes() -> None:
    assert COMMAND in (STARTS / "README.md").read_text()
    command = COMMAND.partition(" > ")[0].split()
    shown = subprocess.run(command, cwd=STARTS, check=False, capture_output=True)
    if shown.returncode:
        pytest.skip("no such commit here: a clone without history, or a copy without git")
    assert hashlib.sha256(shown.stdout).hexdigest() == read_base_description(STARTS / "old_base").sha256
