"""The real Faster R-CNN at a small input: it is built, trained for some steps, written, and exported."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.initialise import initialise
from tasks.detector.model_messages import resized_config
from tasks.detector.model_proto import model_proto, pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.exporting.saved_model import export_saved_model, load_weights
from tasks.model.definition import BLOCKS
from tasks.model.definitions import MODELS
from tasks.training.batchnorm import set_decay
from tasks.training.freeze import auto_freeze, max_abs_change, snapshot
from tests.training.test_training import Run

MODEL = MODELS["faster_rcnn_resnet50_v1_640x640"]


def network(*, is_training: bool) -> Network:
    config = pipeline_proto(MODEL)
    config.model.CopyFrom(model_proto(MODEL, num_classes=2))
    built = build_network(resized_config(config, 128), is_training=is_training)
    # Of a few steps, so that what an exported network of random numbers computes stays finite.
    set_decay(built, 0.0)
    return built


@pytest.mark.slow
def test_a_resnet_trains_is_read_again_and_finds_boxes_once_exported(tmp_path: Path, grey_shard: Path) -> None:
    run = Run(grey_shard, lambda: network(is_training=True), 2, steps=3, eval_every=3, save_every=3)
    assert set(run.network.blocks().values()) == set(range(BLOCKS[MODEL.backbone]))
    assert auto_freeze(run.network, run.network.variables.keys()) == 2
    progress = run.train(tmp_path / "run")
    assert len(progress.steps) == 3
    assert max_abs_change(run.network, {key: run.before[key] for key in run.frozen}) == 0.0

    run.trainer.weights.write(str(tmp_path / "ckpt"))
    exported = network(is_training=False)
    initialise(exported, exported.variables, seed=2)
    load_weights(exported, tmp_path / "ckpt")
    assert max_abs_change(exported, snapshot(run.network, run.network.variables)) == 0.0
    export_saved_model(exported, tmp_path / "saved_model")
    serve = tf.saved_model.load(str(tmp_path / "saved_model")).signatures["serving_default"]
    photos = np.random.default_rng(1).integers(0, 256, (2, 20, 40, 3), dtype=np.uint8)
    found = {name: value.numpy() for name, value in serve(input_tensor=tf.constant(photos)).items()}
    assert found["num_detections"].min() > 0
    assert found["detection_scores"].max() > 0.1
    assert (found["detection_boxes"] >= 0).all()
    assert (found["detection_boxes"] <= 1).all()
    assert set(found["detection_classes"].ravel()) <= {1.0, 2.0}
