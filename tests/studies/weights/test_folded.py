"""BatchNorm put back: the same function, and one that training does not break."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from studies.weights.folded import fill, measure_batch_norms
from studies.weights.mobilenet_v1 import read_mobilenet_v1
from studies.weights.tfjs_weights import read_tfjs_weights
from tasks.detector.architectures.components import BACKBONE
from tasks.detector.network import Network, set_learning_phase
from tasks.errors import CheckpointError
from tests.detector.small_network import V1, small_network
from tests.studies.weights.face_detector import MANIFEST, NUMBERS, face_detector
from tests.studies.weights.tfjs_files import tfjs_files

IMAGES = np.random.default_rng(5).integers(0, 256, (20, 160, 160, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tfjs_files(tmp_path_factory.mktemp("face-api") / "model" / MANIFEST, face_detector(), numbers=NUMBERS)


@pytest.fixture(scope="module")
def network(manifest: Path) -> Network:
    """With the face detector's backbone, and statistics of IMAGES."""
    network = small_network(V1, side_px=160)
    filled = fill(network, read_mobilenet_v1(manifest))
    assert filled == {key for key in network.variables if network.component_of(key) == BACKBONE}
    measure_batch_norms(network, IMAGES)
    return network


def as_face_api_computes(weights: dict[str, np.ndarray], images: tf.Tensor) -> tf.Tensor:
    """The last map, straight from the weights as they are stored."""

    def of(name: str) -> np.ndarray:
        return weights[f"MobilenetV1/{name}"]

    maps = tf.nn.conv2d(images, of("Conv2d_0_pointwise/weights"), 2, "SAME")
    maps = tf.nn.relu6(maps + of("Conv2d_0_pointwise/convolution_bn_offset"))
    for block in range(1, 14):
        depthwise, pointwise, stride = (
            f"Conv2d_{block}_depthwise",
            f"Conv2d_{block}_pointwise",
            1 + (block in (2, 4, 6, 12)),
        )
        maps = tf.nn.depthwise_conv2d(maps, of(f"{depthwise}/depthwise_weights"), (1, stride, stride, 1), "SAME")
        norm = {
            kind: of(f"{depthwise}/BatchNorm/{kind}") for kind in ("gamma", "beta", "moving_mean", "moving_variance")
        }
        maps = tf.nn.batch_normalization(
            maps, norm["moving_mean"], norm["moving_variance"], norm["beta"], norm["gamma"], 1e-3
        )
        maps = tf.nn.conv2d(tf.nn.relu6(maps), of(f"{pointwise}/weights"), 1, "SAME")
        maps = tf.nn.relu6(maps + of(f"{pointwise}/convolution_bn_offset"))
    return maps


def last_map(network: Network, images: np.ndarray, *, training: bool) -> np.ndarray:
    set_learning_phase(training=training)
    try:
        return network.model.feature_extractor.classification_backbone(
            network.architecture.preprocess(images.astype(np.float32))
        )[-1].numpy()
    finally:
        set_learning_phase(training=False)


def test_the_backbone_computes_what_face_api_computes(network: Network, manifest: Path) -> None:
    images = tf.constant(IMAGES[:2].astype(np.float32)) * (2 / 255) - 1
    expected = as_face_api_computes(read_tfjs_weights(manifest), images).numpy()
    assert 0.1 < (expected > 0).mean() < 0.99
    np.testing.assert_allclose(last_map(network, IMAGES[:2], training=False), expected, rtol=1e-3, atol=1e-3)


def test_the_backbone_computes_the_same_with_the_statistics_of_a_batch(network: Network) -> None:
    """On the images whose statistics it was given."""
    before = last_map(network, IMAGES, training=False)
    np.testing.assert_allclose(last_map(network, IMAGES, training=True), before, rtol=1e-2, atol=1e-2)


def test_the_first_layer_has_the_statistics_of_its_convolution(network: Network) -> None:
    values = {variable.name: variable.numpy() for variable in network.variables.values()}
    images = tf.constant(IMAGES.astype(np.float32)) * (2 / 255) - 1
    maps = tf.nn.conv2d(images, values["conv1/kernel:0"], 2, "SAME").numpy().astype(np.float64)
    np.testing.assert_allclose(values["conv1_bn/moving_mean:0"], maps.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(values["conv1_bn/moving_variance:0"], maps.var(axis=(0, 1, 2)), rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "why"),
    [("conv99/kernel", "no variable conv99/kernel"), ("conv1/kernel", r"the shape \(2,\), in the network")],
)
def test_an_array_that_the_network_has_no_place_for_is_named(network: Network, name: str, why: str) -> None:
    with pytest.raises(CheckpointError, match=why):
        fill(network, {name: np.ones(2, np.float32)})
