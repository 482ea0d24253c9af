"""The networks at `model.side_px`: every feature map and anchor is where the input's size puts it."""

import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import build_network
from tasks.detector.pipeline_config import config_text
from tasks.model.definition import ModelDefinition
from tasks.model.definitions import find_model
from tasks.model.geometry import model_geometry
from tests.detector.small_network import RESNET, V1, V2, V2_SSD


# 288, 352, 416 and 608 are odd multiples of 32: the maps above the backbone's do not halve without a rest.
@pytest.mark.parametrize(("name", "side_px"), [(V2, 288), (V2, 608), (V2_SSD, 416), (V1, 416), (RESNET, 352)])
def test_a_pass_gives_a_box_for_each_anchor_of_each_map(name: str, side_px: int) -> None:
    definition = find_model(name, side_px)
    assert isinstance(definition, ModelDefinition)
    config = pipeline_proto(definition)
    network = build_network(config, is_training=False)
    geometry = model_geometry(config_text(config), Path(name))

    image = np.random.default_rng(1).uniform(0, 255, (1, side_px, side_px, 3)).astype(np.float32)
    raw = tf.function(lambda images: network.forward(images, training=False), autograph=False)(image)

    levels = geometry.anchors.levels
    sides = [math.ceil(side_px / (geometry.finest_stride_px * 2**i)) for i in range(len(levels))]
    assert [each.shape[1:3] for each in raw["feature_maps"]] == [(side, side) for side in sides]
    shapes = np.concatenate([np.tile(level, (side**2, 1)) for level, side in zip(levels, sides, strict=True)])
    anchors = raw["anchors"].numpy() * side_px
    assert raw["box_encodings"].shape == (1, len(anchors), 4)
    assert np.isfinite(raw["box_encodings"]).all()
    for axis, column in ((1, 0), (0, 1)):
        sizes = anchors[:, axis + 2] - anchors[:, axis]
        np.testing.assert_allclose(np.sort(sizes), np.sort(shapes[:, column]), rtol=2e-3)
        centres = (anchors[:, axis + 2] + anchors[:, axis]) / 2
        assert centres.min() >= -0.01
        assert centres.max() <= side_px
