from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from studies.weights.imagenet import Weights, read_imagenet_weights, to_od_api
from tasks.errors import CheckpointError
from tests.studies.weights.torchvision_weights import keras_shapes, torchvision_file, torchvision_weights

TORCH_EPSILON, TF_EPSILON = 1e-5, 1e-3


@pytest.fixture(scope="module")
def torch_weights() -> dict[str, npt.NDArray[np.float32]]:
    return torchvision_weights()


@pytest.fixture(scope="module")
def converted(torch_weights: dict[str, npt.NDArray[np.float32]]) -> Weights:
    return to_od_api(torch_weights)


def torch_batch_norm(x: npt.NDArray[np.float64], weights: dict, layer: str) -> npt.NDArray[np.float64]:
    """For channels last."""
    gamma, beta, mean, variance = (
        weights[f"{layer}.{name}"].astype(np.float64) for name in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + TORCH_EPSILON) * gamma + beta


def tf_batch_norm(x: npt.NDArray[np.float64], weights: Weights, layer: str) -> npt.NDArray[np.float64]:
    gamma, beta, mean, variance = (
        weights[f"{layer}/{name}"].astype(np.float64) for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    return (x - mean) / np.sqrt(variance + TF_EPSILON) * gamma + beta


def assert_equal_up_to_float32(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_first_layer_sees_in_minus_one_to_one_what_torch_sees_in_normalised_images(
    torch_weights: dict, converted: Weights
) -> None:
    pixels = np.random.default_rng(0).uniform(size=(50, 3, 3, 3))  # patches, height, width, RGB in [0, 1]
    normalised = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]

    torch = np.einsum("nhwi,oihw->no", normalised, torch_weights["features.0.0.weight"].astype(np.float64))
    tf = np.einsum("nhwi,hwio->no", 2 * pixels - 1, converted["Conv1/kernel"].astype(np.float64))

    expected = torch_batch_norm(torch, torch_weights, "features.0.1")
    assert np.abs(expected).max() > 1
    assert_equal_up_to_float32(tf_batch_norm(tf, converted, "bn_Conv1"), expected)


def test_a_depthwise_layer_gives_what_torchs_gives(torch_weights: dict, converted: Weights) -> None:
    patches = np.random.default_rng(1).uniform(size=(20, 3, 3, 96)) * 6

    torch = np.einsum("nhwc,chw->nc", patches, torch_weights["features.2.conv.1.0.weight"][:, 0].astype(np.float64))
    tf = np.einsum("nhwc,hwc->nc", patches, converted["block_1_depthwise/depthwise_kernel"][..., 0].astype(np.float64))

    assert_equal_up_to_float32(
        tf_batch_norm(tf, converted, "block_1_depthwise_BN"),
        torch_batch_norm(torch, torch_weights, "features.2.conv.1.1"),
    )


def test_a_projection_gives_what_torchs_gives(torch_weights: dict, converted: Weights) -> None:
    pixels = np.random.default_rng(2).uniform(size=(20, 960)) * 6

    torch = pixels @ torch_weights["features.17.conv.2.weight"][:, :, 0, 0].astype(np.float64).T
    tf = pixels @ converted["block_16_project/kernel"][0, 0].astype(np.float64)

    assert_equal_up_to_float32(
        tf_batch_norm(tf, converted, "block_16_project_BN"),
        torch_batch_norm(torch, torch_weights, "features.17.conv.3"),
    )


def test_all_weights_but_classifier_and_counters_are_converted(torch_weights: dict, converted: Weights) -> None:
    used = [name for name in torch_weights if "classifier" not in name and "num_batches" not in name]

    assert len(converted) == len(used) == 260
    assert sum(array.size for array in converted.values()) == sum(torch_weights[name].size for name in used)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in converted.values())


def test_names_and_shapes_are_those_of_the_od_apis_backbone(converted: Weights) -> None:
    assert {name: list(array.shape) for name, array in converted.items()} == keras_shapes()


def test_a_state_dict_is_read_and_converted(torch_weights: dict, converted: Weights, tmp_path: Path) -> None:
    found = read_imagenet_weights(torchvision_file(tmp_path / "w.pth", torch_weights))
    assert found.keys() == converted.keys()
    assert all((found[name] == converted[name]).all() for name in found)


def test_weights_of_another_network_are_refused(torch_weights: dict, tmp_path: Path) -> None:
    others = {name.replace("features.18.", "features.19."): values for name, values in torch_weights.items()}

    with pytest.raises(CheckpointError, match=r"features\.18\.0\.weight"):
        read_imagenet_weights(torchvision_file(tmp_path / "other.pth", others))
