"""The losses of the first steps are those of the OD API's own loop, for each meta-architecture."""

from pathlib import Path

import numpy as np
import pytest

from bench.parity import STEPS, both_losses

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize(
    "model",
    ["ssd_mobilenet_v2_fpnlite_320x320", "ssd_efficientdet_d0_512x512", "centernet_mobilenet_v2_fpn_512x512"],
)
def test_the_losses_of_the_first_steps_are_those_of_the_stock_loop(model: str, tmp_path: Path) -> None:
    ours, stock = both_losses(model, 256, tmp_path)

    assert len(ours) == STEPS
    assert np.ptp(stock) > 0.05
    np.testing.assert_allclose(ours, stock, rtol=1e-4)


def test_a_second_stage_draws_as_the_stock_loop_until_rounding_decides(tmp_path: Path) -> None:
    ours, stock = both_losses("faster_rcnn_resnet50_v1_640x640", 256, tmp_path)

    np.testing.assert_allclose(ours[:4], stock[:4], rtol=1e-4)
