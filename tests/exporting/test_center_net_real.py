"""The zoo's CenterNet for phones with a small input: built, trained for three steps, and exported."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, FEATURE_MAPS, TOWER
from tasks.detector.initialise import initialise
from tasks.detector.model_messages import resized_config
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import build_network
from tasks.evaluation.tflite_model import TFLiteDetector
from tasks.exporting.saved_model import export_saved_model
from tasks.exporting.variants import export_float32
from tasks.model.definition import BLOCKS
from tasks.model.definitions import MODELS
from tasks.model.resizer import Resizer
from tasks.training.batchnorm import hold_still, let_go, set_decay
from tasks.training.freeze import frozen_keys, max_abs_change, snapshot, trainable
from tasks.training.trunk import trunk_of

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

SIDE_PX = 128
NAME = "centernet_mobilenet_v2_fpn_512x512"


def test_it_is_built_trained_and_exported(tmp_path: Path) -> None:
    config = resized_config(pipeline_proto(MODELS[NAME]), SIDE_PX)
    config.model.center_net.num_classes = 2
    network = build_network(config, is_training=True)
    initialise(network, network.variables, seed=1)
    set_decay(network, 0.9)
    counts = {name: len(network.keys_of(name)) for name in (BACKBONE, FEATURE_MAPS, TOWER, BOX_HEAD, CLASS_HEAD)}
    # Of separable convolutions: three of the pyramid, and one before each head.
    assert counts == {BACKBONE: 260, FEATURE_MAPS: 29, TOWER: 9, BOX_HEAD: 4, CLASS_HEAD: 2}
    assert set(network.blocks().values()) == set(range(BLOCKS[MODELS[NAME].backbone]))
    norms = [layer for layer in network.model.submodules if hasattr(layer, "moving_mean")]
    assert len(hold_still(network, set(network.variables))) == len(norms) == 55
    let_go(norms)
    frozen = frozen_keys(network, 8)
    hold_still(network, frozen)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    before = snapshot(network, network.variables)
    variables = list(trainable(network, frozen).values())
    images = tf.random.stateless_uniform([2, SIDE_PX, SIDE_PX, 3], seed=[1, 2], maxval=255.0)
    features, shapes = trunk.features(images), network.whole_shapes(images)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            predictions = trunk.forward(features, shapes, training=True)
            network.model.provide_groundtruth(
                groundtruth_boxes_list=[tf.constant([[0.2, 0.2, 0.6, 0.7]])] * 2,
                groundtruth_classes_list=[tf.constant([[0.0, 1.0]])] * 2,
                groundtruth_weights_list=[tf.constant([1.0])] * 2,
            )
            losses = network.architecture.losses(predictions, shapes)
            loss = losses.classification + losses.localization
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(1e-4 * tf.sign(gradient))
        return loss

    steps = [float(step()) for _ in range(3)]
    assert steps[2] < steps[0]
    moved = {key for key in before if max_abs_change(network, {key: before[key]}) > 0}
    assert not moved & frozen
    assert set(trainable(network, frozen)) <= moved

    export_saved_model(network, tmp_path / "saved_model")
    export_float32(network, config, tmp_path / "model.tflite", max_detections=100)
    photo = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    serve = tf.saved_model.load(str(tmp_path / "saved_model")).signatures["serving_default"]
    served = serve(input_tensor=tf.constant(photo[np.newaxis]))
    resizer = Resizer(min_side=SIDE_PX, max_side=SIDE_PX)
    model = (tmp_path / "model.tflite").read_bytes()
    (found,) = TFLiteDetector(model, ("cat", "dog"), threads=1, resizer=resizer).detect([photo])
    best = served["detection_boxes"][0, 0].numpy()[[1, 0, 3, 2]] * [128, 96, 128, 96]
    np.testing.assert_allclose(found.boxes[0], best, atol=0.05)
    assert found.scores[0] == pytest.approx(float(served["detection_scores"][0, 0]), abs=1e-4)
