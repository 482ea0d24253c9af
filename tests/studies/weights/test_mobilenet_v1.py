from pathlib import Path

import numpy as np
import pytest

from studies.weights.mobilenet_v1 import read_mobilenet_v1, to_od_api
from tasks.errors import CheckpointError
from tests.studies.weights.face_detector import MANIFEST, NUMBERS, face_detector
from tests.studies.weights.tfjs_files import tfjs_files


def test_every_layer_has_a_kernel_and_a_batch_norm() -> None:
    weights = face_detector()
    weights["MobilenetV1/Conv2d_3_depthwise/BatchNorm/moving_variance"][0] = -0.001

    found = to_od_api(weights)

    assert len(found) == 27 * 5
    assert found["conv_dw_3_bn/moving_variance"][0] == 0
    np.testing.assert_array_equal(
        found["conv_pw_4_bn/beta"], weights["MobilenetV1/Conv2d_4_pointwise/convolution_bn_offset"]
    )
    assert found["conv_pw_4_bn/gamma"][0] == pytest.approx(np.sqrt(found["conv_pw_4_bn/moving_variance"][0] + 1e-3))


def test_another_model_of_the_package_is_refused(tmp_path: Path) -> None:
    manifest = tfjs_files(tmp_path / MANIFEST, {"conv0/filters": np.ones(1, np.float32)}, numbers=NUMBERS)
    with pytest.raises(CheckpointError, match="Conv2d_0_pointwise/convolution_bn_offset' is missing; not face-api"):
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
