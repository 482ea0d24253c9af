"""The real EfficientDet D0 at a small input: its parts, its frozen layers, and that chance has no part in a step."""

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.architectures.components import COMPONENTS
from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.training.batchnorm import hold_still, let_go
from tasks.training.freeze import frozen_keys, max_abs_change, snapshot, trainable
from tasks.training.trunk import trunk_of
from tests.detector.small_network import EFFICIENTDET, small_network

pytestmark = pytest.mark.slow

SIDE_PX = 256
IMAGES = tf.random.stateless_uniform([2, SIDE_PX, SIDE_PX, 3], seed=[1, 2], maxval=255.0)


@pytest.fixture(scope="module")
def network() -> Network:
    built = small_network(EFFICIENTDET, side_px=SIDE_PX)
    initialise(built, built.variables, seed=1)
    return built


def predictions(network: Network) -> dict[str, tf.Tensor]:
    outputs: dict[str, tf.Tensor] = tf.function(lambda images: network.forward(images, training=True))(IMAGES)
    return outputs


def test_every_component_has_variables_and_every_stage_a_block(network: Network) -> None:
    assert {network.component_of(key) for key in network.variables} == set(COMPONENTS)
    assert set(network.blocks().values()) == set(range(7))


def test_every_variable_that_trains_has_a_gradient(network: Network) -> None:
    variables = trainable(network, set())

    def gradients(images: tf.Tensor) -> list[tf.Tensor | None]:
        with tf.GradientTape() as tape:
            outputs = network.forward(images, training=True)
            total = sum(tf.reduce_sum(outputs[name]) for name in ("box_encodings", "class_predictions_with_background"))
        found: list[tf.Tensor | None] = tape.gradient(total, list(variables.values()))
        assert [key for key, gradient in zip(variables, found, strict=True) if gradient is None] == []
        return found

    tf.function(gradients, autograph=False).get_concrete_function(IMAGES)
    # The classifier of 1,000 classes behind the last stage is no part of the detector.
    assert not any("classification_backbone" in key for key in network.variables)


def test_frozen_blocks_hold_still_and_their_features_give_the_same_predictions(network: Network) -> None:
    frozen = frozen_keys(network, 4)
    held = hold_still(network, frozen)
    try:
        before = snapshot(network, frozen)
        whole, again = predictions(network), predictions(network)
        trunk = trunk_of(network, frozen)
        assert trunk is not None
        behind = tf.function(lambda features: trunk.forward(features, training=True))(trunk.features(IMAGES))
    finally:
        let_go(held)

    assert len(held) > 10
    assert max_abs_change(network, before) == 0
    for name in ("box_encodings", "class_predictions_with_background"):
        # The learning layers' moving statistics differ, but in training no prediction depends on them.
        np.testing.assert_array_equal(whole[name], again[name])
        np.testing.assert_allclose(whole[name], behind[name], atol=1e-5)
