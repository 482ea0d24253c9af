"""From the zoo's archive to a network of three classes, over HTTP and through the checkpoint stage."""

from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts.training import RestoredComponent
from tasks.detector.architectures.components import CLASS_HEAD, COMPONENTS
from tasks.detector.initialise import initialise
from tasks.detector.model_proto import model_proto, pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.restore import restore
from tasks.model.definitions import MODELS
from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint
from tasks.training.freeze import snapshot
from tests.file_server import serving
from tests.zoo_archive import SUFFIX, needs_zoo, write_zoo_archive, zoo_values

pytestmark = [pytest.mark.slow, needs_zoo]

CLASSES = ("key", "leaf", "mug")
# Variables of each component, in the order of COMPONENTS, as the zoo's checkpoints list them.
COUNTS = {
    "ssd_mobilenet_v1_fpn_640x640": (135, 26, 168, 2, 2),
    "ssd_mobilenet_v2_fpnlite_640x640": (260, 30, 88, 3, 3),
}


def fetched(model: str, folder: Path) -> Path:
    """models/base, as the checkpoint stage makes it of the archive that a server has."""
    write_zoo_archive(model, folder / "zoo")
    with serving(folder / "zoo") as server:
        params = CheckpointParams(source="zoo", zoo_url=server.address, sha256=None, class_names={})
        checkpoint(params, ModelParams(name=model, side_px=None), base=folder / "base")
    return folder / "base"


def built(model: str) -> Network:
    config = pipeline_proto(MODELS[model])
    config.model.CopyFrom(model_proto(MODELS[model], num_classes=len(CLASSES)))
    network = build_network(config, is_training=True)
    initialise(network, network.variables, seed=1)
    return network


@pytest.mark.parametrize("model", COUNTS)
def test_all_of_the_zoos_checkpoint_but_its_class_head_is_restored(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    base = fetched(model, tmp_path)
    zoo = {key.removesuffix(SUFFIX): value for key, value in zoo_values(model).items()}
    network = built(model)
    first = snapshot(network, network.variables)
    heads = {key for key in network.variables if network.component_of(key) == CLASS_HEAD}

    restored = restore(network, base, CLASSES)
    after = snapshot(network, network.variables)

    assert restored.keys == network.variables.keys() - heads
    assert {key for key in restored.keys if not np.array_equal(after[key], zoo[key])} == set()
    assert {key for key in restored.keys if np.array_equal(after[key], first[key])} == set()
    assert restored.mismatched == dict.fromkeys(heads, "trained for other classes")
    assert {key for key in heads if not np.array_equal(after[key], first[key])} == set()
    assert restored.new == restored.left_over == set()
    used = restored.keys | restored.mismatched.keys()
    assert zoo.keys() - used == {"_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter"}
    assert restored.summary().modules == [
        RestoredComponent(
            module=component,
            variables=count,
            restored=0 if component == CLASS_HEAD else count,
            new=0,
            mismatched=count if component == CLASS_HEAD else 0,
        )
        for component, count in zip(COMPONENTS, COUNTS[model], strict=True)
    ]
