"""CenterNet in training: frozen layers, the trunk's features, and a run that was interrupted."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.architectures.components import FEATURE_MAPS
from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.training.batchnorm import hold_still, set_decay
from tasks.training.examples import Augment, training_batches
from tasks.training.freeze import audit, frozen_keys, max_abs_change, refuse_moved, snapshot, trainable
from tasks.training.loop import Trainer
from tasks.training.optimizing import TwoRates
from tasks.training.progress import Progress, ValidationScores
from tasks.training.replicas import Copies, Replicas
from tasks.training.resume import ResumeFolder
from tasks.training.trunk import trunk_of
from tests.detector.toy_center_net import toy_center_net
from tests.training.interrupted import InterruptedRunError, until
from tests.training.train_params import train_params

SIDE_PX = 64
PARAMS = train_params(steps=6, batch_size=2, warmup_steps=2, eval_every=3, save_every=3)
SCORES = ValidationScores(mAP=0.5, AP50=0.5)


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


class Run:
    """A toy CenterNet and its trainer, always with the same first values."""

    def __init__(self, shard: Path) -> None:
        self.shard = shard
        self.network, self.frozen = build(1)
        self.before = snapshot(self.network, self.network.variables)
        variables = trainable(self.network, self.frozen)
        restored = [variable for key, variable in variables.items() if key in self.network.keys_of(FEATURE_MAPS)]
        new = [variable for key, variable in variables.items() if key not in self.network.keys_of(FEATURE_MAPS)]
        self.trainer = Trainer(
            Copies(self.network, self.network),
            Replicas(tf.distribute.get_strategy()),
            TwoRates(PARAMS, restored, new),
            PARAMS,
            frozen=self.frozen,
        )

    def train(self, folder: Path, last: int = 6) -> Progress:
        resume = ResumeFolder(folder, "run")
        with resume.lock(), suppress(InterruptedRunError):
            progress = resume.restore(self.trainer.state)
            batches = training_batches(
                [self.shard],
                resizer=self.network.resizer,
                batch_size=2,
                max_boxes=4,
                augment=Augment(0.5, 0.5, 0.5, 0.5),
                seed=1,
                start_step=progress.step,
            )
            self.trainer.run(batches, resume, progress, until(last), lambda: SCORES)
        return progress


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_same_bits_and_what_is_frozen_did_not_move(
    tmp_path: Path, grey_shard: Path
) -> None:
    whole = Run(grey_shard)
    steps = whole.train(tmp_path / "whole").steps
    Run(grey_shard).train(tmp_path / "parts", last=4)
    second = Run(grey_shard)
    progress = second.train(tmp_path / "parts")
    assert max_abs_change(second.network, snapshot(whole.network, whole.network.variables)) == 0.0
    assert [row.loss for row in progress.steps] == [row.loss for row in steps]
    assert len(steps) == 6
    rows = audit(whole.network, whole.frozen, whole.before)
    refuse_moved(rows, "train.freeze 1")
    moved = {key for key, value in whole.before.items() if max_abs_change(whole.network, {key: value}) > 0}
    assert set(trainable(whole.network, whole.frozen)) <= moved
