"""Checkpoints of 90 classes, as the OD API's own objects write them, into real networks of three classes."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.initialise import initialise
from tasks.detector.restore import restore
from tests.artifacts.base_descriptions import describe_base
from tests.detector.small_network import EFFICIENTDET, small_network

pytestmark = [pytest.mark.slow, pytest.mark.nightly]


@pytest.mark.parametrize(
    ("model", "side_px"),
    [(EFFICIENTDET, 256), ("centernet_resnet50_v2_512x512", 128), ("faster_rcnn_resnet50_v1_640x640", 128)],
)
def test_all_but_the_class_head_is_restored(model: str, side_px: int, tmp_path: Path) -> None:
    theirs = small_network(model, num_classes=90, side_px=side_px)
    initialise(theirs, theirs.variables, seed=1)
    describe_base(tmp_path, "tf_checkpoint", source="zoo")
    tf.train.Checkpoint(model=theirs.model).write(str(tmp_path / "checkpoint" / "ckpt-0"))
    network = small_network(model, num_classes=3, side_px=side_px)
    initialise(network, network.variables, seed=2)

    result = restore(network, tmp_path, ("key", "leaf", "mug"))

    assert result.keys == network.variables.keys() - network.keys_of(CLASS_HEAD)
    assert result.mismatched.keys() == network.keys_of(CLASS_HEAD)
    assert result.new == result.left_over == set()
    for key in result.keys:
        np.testing.assert_array_equal(network.variables[key], theirs.variables[key], err_msg=key)
