"""The face detector's backbone in the OD API's: the same function, and one that training does not break."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.network import BACKBONE, Network, component_of, set_learning_phase
from tasks.detector.restore import restore
from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint
from tasks.weights.mobilenet_v1 import MANIFEST, NUMBERS, drawn_images
from tasks.weights.tfjs_weights import read_tfjs_weights
from tests.detector.small_network import V1, small_network
from tests.face_detector import face_detector
from tests.weights.tfjs_files import tfjs_files


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tfjs_files(tmp_path_factory.mktemp("face-api") / "model" / MANIFEST, face_detector(), numbers=NUMBERS)


@pytest.fixture(scope="module")
def network(manifest: Path) -> Network:
    """Restored from the stage's folder, which was given the package's."""
    base = manifest.parents[1] / "base"
    params = CheckpointParams(source=str(manifest.parents[1]), zoo_url="http://localhost", sha256=None)
    figures = checkpoint(params, ModelParams(name=V1, side_px=None), base=base)
    assert figures["origin"] == f"backbone of face-api's face detector: {manifest}"
    network = small_network(V1, side_px=160)
    restored = restore(network, base, ("cat",))
    backbone = {key for key in network.variables if component_of(key) == BACKBONE}
    assert restored.keys == backbone
    assert not restored.left_over
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
        return network.backbone(tf.constant(images))[-1].numpy()
    finally:
        set_learning_phase(training=False)


def test_the_backbone_computes_what_face_api_computes(network: Network, manifest: Path) -> None:
    images = np.random.default_rng(5).uniform(-1, 1, (2, 160, 160, 3)).astype(np.float32)
    expected = as_face_api_computes(read_tfjs_weights(manifest), tf.constant(images)).numpy()
    assert 0.1 < (expected > 0).mean() < 0.99
    np.testing.assert_allclose(last_map(network, images, training=False), expected, rtol=1e-3, atol=1e-3)


def test_the_backbone_computes_the_same_with_the_statistics_of_a_batch(network: Network) -> None:
    """On the images whose statistics it was given."""
    images = drawn_images()
    before = last_map(network, images, training=False)
    np.testing.assert_allclose(last_map(network, images, training=True), before, rtol=1e-2, atol=1e-2)
