"""A detector as the OD API's own exporter writes it, as the zoo and TensorFlow's hub have theirs, to start from."""

from pathlib import Path

import pytest
import tensorflow as tf
from object_detection.exporter_lib_v2 import export_inference_graph

from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.initialise import initialise
from tasks.detector.model_proto import model_proto, pipeline_proto
from tasks.detector.network import build_network
from tasks.detector.restore import restore
from tasks.model.definitions import MODELS
from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint
from tasks.training.freeze import max_abs_change, snapshot

pytestmark = pytest.mark.slow

CLASSES = ("key", "leaf", "mug")


@pytest.mark.parametrize("model", ["ssd_mobilenet_v1_fpn_320x320", "ssd_mobilenet_v2_fpnlite_320x320"])
def test_all_but_the_class_head_of_an_exported_detector_is_restored(model: str, tmp_path: Path) -> None:
    config = pipeline_proto(MODELS[model])
    config.model.CopyFrom(model_proto(MODELS[model], num_classes=len(CLASSES)))
    resizer = config.model.ssd.image_resizer.fixed_shape_resizer
    resizer.height = resizer.width = 128
    network = build_network(config, is_training=False)
    initialise(network, network.variables, seed=1)
    wanted = snapshot(network, set(network.variables))
    tf.train.Checkpoint(model=network.model).save(str(tmp_path / "trained" / "ckpt"))
    export_inference_graph("image_tensor", config, str(tmp_path / "trained"), str(tmp_path / "exported"))
    source = str(tmp_path / "exported" / "saved_model")
    params = CheckpointParams(source=source, zoo_url="", sha256=None, class_names={})
    checkpoint(params, ModelParams(name=model, side_px=None), base=tmp_path / "base")
    initialise(network, network.variables, seed=2)

    restored = restore(network, tmp_path / "base", CLASSES)

    heads = {key for key in network.variables if network.component_of(key) == CLASS_HEAD}
    assert restored.keys == network.variables.keys() - heads
    assert max_abs_change(network, {key: wanted[key] for key in restored.keys}) == 0
    assert restored.mismatched.keys() == heads
    assert restored.new == restored.left_over == set()
