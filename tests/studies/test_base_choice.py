"""studies/base_choice compares bases that do not ship: folders with a description, and weights that users put there."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from studies.trials.params import read_trials_params
from tasks.artifacts.base import ARRAYS, DESCRIPTION, read_base_description
from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.initialise import initialise
from tasks.detector.restore import restore
from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint
from tasks.weights.packed_weights import read_packed
from tasks.weights.shipped import FOLDER, FPNLITE
from tests.detector.small_network import V2, small_network

CHOICE = Path(__file__).parents[2] / "studies" / "base_choice"


@pytest.mark.parametrize("arm", ["imagenet", "ssd", "continued"])
def test_the_folder_of_a_candidate_is_taken_as_its_weights_are_packed(
    arm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = Path(str(read_trials_params(CHOICE / "trials.yaml").arms[arm]["checkpoint"]["source"]))
    source.mkdir(parents=True)
    shutil.copy(CHOICE / source / DESCRIPTION, source / DESCRIPTION)
    # The base that ships has the same form.
    shutil.copy(FOLDER / f"{FPNLITE}.npz", source / ARRAYS)
    params = CheckpointParams(source=str(source), zoo_url="", sha256=None, class_names={})
    model = ModelParams(name="ssd_mobilenet_v2_fpnlite_320x320", side_px=None)
    assert checkpoint(params, model, base=tmp_path / "base")["kind"] == "weights"
    assert read_base_description(tmp_path / "base").origin.startswith("studies/base, from ")

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


def test_every_class_that_scenes_show_has_one_family() -> None:
    families = yaml.safe_load((CHOICE / "candidates" / "continued" / "families.yaml").read_text())
    classes = yaml.safe_load((CHOICE.parent / "base" / "classes.yaml").read_text())["classes"]
    members = [name for names in families.values() for name in names]
    assert len(members) == len(set(members))
    # Too few cut-outs: no scene shows them.
    assert classes.keys() - set(members) == {"none", "bat", "keyboard"}
