"""The losses of the first steps are those of the OD API's own loop, for each meta-architecture."""

from pathlib import Path

import numpy as np
import pytest

from bench.parity import STEPS, both_loops

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize(
    "model",
    ["ssd_mobilenet_v2_fpnlite_320x320", "ssd_efficientdet_d0_512x512", "centernet_mobilenet_v2_fpn_512x512"],
)
def test_the_losses_of_the_first_steps_are_those_of_the_stock_loop(model: str, tmp_path: Path) -> None:
    both = both_loops(model, 256, tmp_path)

    assert both.ours.shape == both.stock.shape == (STEPS,)
    assert np.ptp(both.stock) > 0.05
    np.testing.assert_allclose(both.ours, both.stock, rtol=1e-4)
    assert both.update_error is None


def test_steps_with_a_second_stage_are_stock_steps_from_the_same_weights(tmp_path: Path) -> None:
    both = both_loops("faster_rcnn_resnet50_v1_640x640", 256, tmp_path)

    assert both.ours.shape == both.stock.shape == (STEPS,)
    assert np.ptp(both.stock) > 0.05
    np.testing.assert_allclose(both.ours, both.stock, rtol=1e-4)
    assert both.update_error is not None
    assert both.update_error < 1e-6
