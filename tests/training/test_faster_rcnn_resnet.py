"""The real Faster R-CNNs at a small input: each is built, trained for some steps, written, and exported."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from tasks.detector.initialise import initialise
from tasks.detector.model_messages import resized_config
from tasks.detector.model_proto import model_proto, pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.exporting.onnx_model import export_onnx
from tasks.exporting.saved_model import export_saved_model, load_weights
from tasks.model.definition import BLOCKS, Backbone
from tasks.model.definitions import MODELS
from tasks.model.onnx_file import INPUT, OUTPUTS
from tasks.training.batchnorm import set_decay
from tasks.training.freeze import auto_freeze, max_abs_change, snapshot
from tests.detector.zoo_fpn import zoo_fpn_config
from tests.training.test_training import Run

MODEL = MODELS["faster_rcnn_resnet50_v1_640x640"]


def without_fpn() -> PipelineConfig:
    config = pipeline_proto(MODEL)
    config.model.CopyFrom(model_proto(MODEL, num_classes=2))
    return resized_config(config, 128)


def with_fpn() -> PipelineConfig:
    config = zoo_fpn_config()
    config.model.faster_rcnn.num_classes = 2
    return resized_config(config, 128)


def network(config: PipelineConfig, *, is_training: bool) -> Network:
    built = build_network(config, is_training=is_training)
    # Of a few steps, so that what an exported network of random numbers computes stays finite.
    set_decay(built, 0.0)
    return built


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("config", "freeze", "of_auto", "backbone"),
    [(without_fpn, 2, 2, MODEL.backbone), (with_fpn, "backbone", 3, "resnet50_v1")],
    ids=["without FPN", "with FPN"],
)
def test_a_resnet_trains_is_read_again_and_finds_boxes_once_exported(
    tmp_path: Path,
    grey_shard: Path,
    config: Callable[[], PipelineConfig],
    freeze: int | str,
    of_auto: int,
    backbone: Backbone,
) -> None:
    # So slowly that the statistics of the last step are those of the weights after it.
    slow = {"learning_rate": 1e-6, "steps": 3, "eval_every": 3, "save_every": 3}
    run = Run(grey_shard, lambda: network(config(), is_training=True), freeze, **slow)
    assert set(run.network.blocks().values()) == set(range(BLOCKS[backbone]))
    assert auto_freeze(run.network, run.network.variables.keys()) == of_auto
    progress = run.train(tmp_path / "run")
    assert len(progress.steps) == 3
    assert max_abs_change(run.network, {key: run.before[key] for key in run.frozen}) == 0.0

    run.trainer.weights.write(str(tmp_path / "ckpt"))
    exported = network(config(), is_training=False)
    initialise(exported, exported.variables, seed=2)
    load_weights(exported, tmp_path / "ckpt")
    assert max_abs_change(exported, snapshot(run.network, run.network.variables)) == 0.0
    export_saved_model(exported, tmp_path / "saved_model")
    serve = tf.saved_model.load(str(tmp_path / "saved_model")).signatures["serving_default"]
    # Grey, as those that the statistics are of.
    photos = np.stack([np.full((20, 40, 3), level, np.uint8) for level in (90, 150)])
    found = {name: value.numpy() for name, value in serve(input_tensor=tf.constant(photos)).items()}
    assert found["num_detections"].min() > 0
    count = (found["detection_scores"] > 0.05).sum(axis=1)
    assert count.min() > 0
    assert (found["detection_boxes"] >= 0).all()
    assert (found["detection_boxes"] <= 1).all()
    assert set(found["detection_classes"].ravel()) <= {1.0, 2.0}

    export_onnx(exported, config(), tmp_path / "model.onnx", classes=("cat", "dog"))
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    other = dict(zip(OUTPUTS, session.run(list(OUTPUTS), {INPUT: photos}), strict=True))
    for name in ("detection_scores", "detection_boxes"):
        for number, shown in enumerate(count):
            np.testing.assert_allclose(other[name][number, :shown], found[name][number, :shown], atol=1e-3)
