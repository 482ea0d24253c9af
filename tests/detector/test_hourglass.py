"""A CenterNet with an hourglass, whose backbone can be frozen as a whole only."""

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, TOWER
from tasks.detector.initialise import initialise
from tasks.detector.model_messages import set_side
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.errors import ConfigError
from tasks.model.definitions import MODELS
from tasks.training.batchnorm import hold_still, let_go
from tasks.training.freeze import auto_freeze, frozen_keys, max_abs_change, snapshot
from tasks.training.trunk import trunk_of

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

SIDE_PX = 128
IMAGES = tf.random.stateless_uniform([2, SIDE_PX, SIDE_PX, 3], seed=[1, 2], maxval=255.0)


@pytest.fixture(scope="module")
def network() -> Network:
    config = pipeline_proto(MODELS["centernet_resnet50_v2_512x512"])
    config.model.center_net.feature_extractor.type = "hourglass_10"
    config.model.center_net.num_classes = 2
    set_side(config.model.center_net.image_resizer, SIDE_PX)
    built = build_network(config, is_training=True)
    initialise(built, built.variables, seed=1)
    return built


def test_all_but_the_heads_is_backbone_and_has_no_blocks(network: Network) -> None:
    assert {network.component_of(key) for key in network.variables} == {BACKBONE, TOWER, BOX_HEAD, CLASS_HEAD}
    assert auto_freeze(network, network.variables.keys()) == "none"
    with pytest.raises(ConfigError, match="belongs to no known block: freeze `backbone` or `none` instead"):
        frozen_keys(network, 2)


def test_a_frozen_hourglass_holds_still_and_its_features_give_the_same_predictions(network: Network) -> None:
    frozen = frozen_keys(network, "backbone")
    held = hold_still(network, frozen)
    try:
        before = snapshot(network, frozen)
        whole = tf.function(lambda images: network.forward(images, training=True))(IMAGES)
        trunk = trunk_of(network, frozen)
        assert trunk is not None
        assert len(trunk.specs) == 1
        behind = tf.function(lambda features: trunk.forward(features, training=True))(trunk.features(IMAGES))
    finally:
        let_go(held)

    assert max_abs_change(network, before) == 0
    for name in ("object_center", "box/scale", "box/offset"):
        np.testing.assert_allclose(whole[name][-1], behind[name][-1], atol=1e-5)
