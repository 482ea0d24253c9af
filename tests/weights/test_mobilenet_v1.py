from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.errors import CheckpointError
from tasks.weights.mobilenet_v1 import MANIFEST, NUMBERS, drawn_images, find_face_detector, read_mobilenet_v1, to_od_api
from tests.face_detector import face_detector
from tests.weights.tfjs_files import tfjs_files


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return drawn_images()[:2]


def test_the_images_for_the_statistics_are_always_the_same() -> None:
    images = drawn_images()
    assert images.shape == (16, 160, 160, 3)
    assert -1 <= images.min() < images.max() <= 1
    np.testing.assert_array_equal(images, drawn_images())


def test_every_layer_has_the_statistics_of_its_convolution(images: np.ndarray) -> None:
    weights = face_detector()
    found = to_od_api(weights, images)

    assert len(found) == 27 * 5
    # The first layer by hand: at stride 2 and an even size, SAME adds a row below and a column to the right.
    padded = np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)))
    windows: Any = np.lib.stride_tricks.sliding_window_view  # the stubs know one axis only
    seen = windows(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    maps = np.einsum("nyxcij,ijco->nyxo", seen, weights["MobilenetV1/Conv2d_0_pointwise/weights"])
    mean, variance = maps.mean(axis=(0, 1, 2)), maps.var(axis=(0, 1, 2))
    np.testing.assert_allclose(found["conv1_bn/moving_mean"], mean, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found["conv1_bn/moving_variance"], variance, rtol=1e-3)
    # Taking them away and giving them back leaves the offset.
    normalised = (maps - mean) / np.sqrt(variance + 1e-3) * found["conv1_bn/gamma"] + found["conv1_bn/beta"]
    offset = weights["MobilenetV1/Conv2d_0_pointwise/convolution_bn_offset"]
    np.testing.assert_allclose(normalised, maps + offset, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("place", ["", "model"], ids=["its folder", "the package"])
def test_the_detector_is_found_in_the_package_and_in_its_folder(tmp_path: Path, place: str) -> None:
    assert find_face_detector(tmp_path) is None
    tfjs_files(tmp_path / place / MANIFEST, {"x": np.ones(1, np.float32)}, numbers=NUMBERS)
    assert find_face_detector(tmp_path) == tmp_path / place / MANIFEST


def test_another_model_of_the_package_is_refused(tmp_path: Path) -> None:
    manifest = tfjs_files(tmp_path / MANIFEST, {"conv0/filters": np.ones(1, np.float32)}, numbers=NUMBERS)
    with pytest.raises(CheckpointError, match="Conv2d_0_pointwise/weights' is missing; not face-api"):
        read_mobilenet_v1(manifest)


@pytest.mark.parametrize(
    "name", ["Conv2d_0_pointwise/weights", "Conv2d_3_depthwise/BatchNorm/gamma", "Conv2d_5_pointwise/weights"]
)
def test_a_model_of_another_width_is_refused(tmp_path: Path, name: str) -> None:
    weights = face_detector()
    weights[f"MobilenetV1/{name}"] = weights[f"MobilenetV1/{name}"][..., :7]
    manifest = tfjs_files(tmp_path / MANIFEST, weights, numbers=NUMBERS)
    with pytest.raises(CheckpointError, match=f"{name} has the shape .*; not face-api's"):
        read_mobilenet_v1(manifest)
