"""The files in weights/ fill the networks that they are for."""

from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts.training import RestoreSummary
from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, FEATURE_MAPS, TOWER
from tasks.detector.network import Network
from tasks.detector.restore import restore
from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint
from tests.detector.small_network import V1, V2, V2_SSD, small_network

CLASSES = ("Helmet", "person")
ALL_BUT_HEAD = {BACKBONE, FEATURE_MAPS, TOWER, BOX_HEAD}


def restored(model: str, source: str, base: Path) -> tuple[Network, RestoreSummary]:
    params = CheckpointParams(source=source, zoo_url="", sha256=None, class_names={})
    checkpoint(params, ModelParams(name=model, side_px=None), base=base)
    network = small_network(model)
    return network, restore(network, base, CLASSES).summary()


@pytest.mark.parametrize(
    ("model", "source", "filled"),
    [
        (V2, "base", ALL_BUT_HEAD),
        (V2_SSD, "base", ALL_BUT_HEAD - {TOWER}),
        (V1, "base", {BACKBONE}),
        (V2, "imagenet", {BACKBONE}),
        (V2_SSD, "imagenet", {BACKBONE}),
    ],
)
def test_a_shipped_file_fills_its_components_and_nothing_is_left_over(
    model: str, source: str, filled: set[str], tmp_path: Path
) -> None:
    _, summary = restored(model, source, tmp_path / "base")
    whole = {row.module for row in summary.modules if row.restored == row.variables > 0}
    assert whole == filled
    assert summary.left_over == []


def test_rows_of_the_shipped_class_head_are_kept_by_name(tmp_path: Path) -> None:
    network, summary = restored(V2_SSD, "base", tmp_path / "base")
    assert summary.class_rows == "rows of person (from Person) kept by name; Helmet new"
    with np.load(tmp_path / "base" / "weights.npz") as arrays:
        (key, *_) = (key for key in arrays.files if "class_predictions_with_background/2/" in key and "bias" in key)
        theirs = arrays[key].reshape(6, 24)
    # Person is the fourth of the 23 classes.
    np.testing.assert_array_equal(network.variables[key].numpy().reshape(6, 3)[:, [0, 2]], theirs[:, [0, 4]])
    (row,) = [row for row in summary.modules if row.module == CLASS_HEAD]
    assert (row.restored, row.mismatched) == (0, 12)
