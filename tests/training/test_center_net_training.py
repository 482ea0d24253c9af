"""CenterNet in training: frozen layers, the trunk's features, and a run that was interrupted."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.training.batchnorm import hold_still, set_decay
from tasks.training.freeze import audit, frozen_keys, max_abs_change, refuse_moved, snapshot, trainable
from tasks.training.trunk import trunk_of
from tests.detector.toy_center_net import toy_center_net
from tests.training.test_training import Run

SIDE_PX = 64


def build(freeze: str | int) -> tuple[Network, set[str]]:
    network = toy_center_net(side_px=SIDE_PX)
    initialise(network, network.variables, seed=1)
    set_decay(network, 0.9)
    frozen = frozen_keys(network, freeze)
    hold_still(network, frozen)
    return network, frozen


@pytest.mark.parametrize("freeze", [1, 2, "backbone", "heads-only"])
def test_predictions_from_the_trunks_features_equal_those_from_the_image(freeze: str | int) -> None:
    network, frozen = build(freeze)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    images = tf.random.stateless_uniform([2, SIDE_PX, SIDE_PX, 3], seed=[1, 2], maxval=255.0)
    before = snapshot(network, network.variables)
    whole = tf.function(lambda x: network.forward(x, training=True))(images)
    moved = snapshot(network, network.variables)
    for key, value in before.items():
        network.variables[key].assign(value)
    behind = tf.function(lambda x: trunk.forward(x, training=True))(trunk.features(images))
    for name in ("object_center", "box/scale", "box/offset"):
        np.testing.assert_allclose(behind[name][0], whole[name][0], atol=1e-5)
    assert max_abs_change(network, moved) <= 1e-5
    assert max_abs_change(network, {key: value for key, value in before.items() if key in frozen}) == 0.0
    statistics = {key for key in network.variables if "/moving_" in key} - frozen
    assert bool(statistics) == (freeze != "heads-only")
    assert all(max_abs_change(network, {key: before[key]}) > 0 for key in statistics)


def test_moving_statistics_follow_at_the_pace_of_the_params() -> None:
    network, _ = build("none")
    layers = [layer for layer in network.model.submodules if isinstance(layer, tf.keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in layers if layer.built} == {0.9}


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_same_bits_and_what_is_frozen_did_not_move(
    tmp_path: Path, grey_shard: Path
) -> None:
    def run() -> Run:
        return Run(grey_shard, lambda: toy_center_net(side_px=SIDE_PX), 1)

    whole = run()
    steps = whole.train(tmp_path / "whole").steps
    run().train(tmp_path / "parts", last=4)
    second = run()
    progress = second.train(tmp_path / "parts")
    assert max_abs_change(second.network, snapshot(whole.network, whole.network.variables)) == 0.0
    assert [row.loss for row in progress.steps] == [row.loss for row in steps]
    assert len(steps) == 6
    rows = audit(whole.network, whole.frozen, whole.before)
    refuse_moved(rows, "train.freeze 1")
    moved = {key for key, value in whole.before.items() if max_abs_change(whole.network, {key: value}) > 0}
    assert set(trainable(whole.network, whole.frozen)) <= moved
