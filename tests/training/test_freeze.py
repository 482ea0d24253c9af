"""Freezing on every backbone: one step of plain gradient descent, then the audit."""

from functools import cache

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.errors import ParamsError
from tasks.model.definition import BLOCKS
from tasks.model.definitions import MODELS
from tasks.training.batchnorm import hold_still
from tasks.training.freeze import audit, auto_freeze, frozen_keys, max_abs_change, snapshot, trainable
from tests.detector.small_network import RESNET, V1, V2, small_network
from tests.detector.toy_network import toy_network

# The OD API asks for 129 at least.
SIDE_PX = 160


@cache
def real(name: str) -> Network:
    """One for all tests here that look at its names; what one of them does to its values, the next one finds."""
    network = small_network(name, side_px=SIDE_PX)
    initialise(network, network.variables, seed=1)
    return network


def toy() -> Network:
    network = toy_network()
    initialise(network, network.variables, seed=1)
    return network


def descend(network: Network, frozen: set[str]) -> None:
    """One step on noise, by gradients of all that is not frozen."""
    variables = list(trainable(network, frozen).values())

    @tf.function
    def step(images: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            found = network.forward(images, training=True)
            loss = tf.reduce_sum(found["box_encodings"] ** 2) + tf.reduce_sum(
                tf.sigmoid(found["class_predictions_with_background"])
            )
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(0.01 * gradient)

    step(tf.random.stateless_uniform([2, network.height, network.width, 3], seed=[1, 2], maxval=255.0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "freeze", "frozen_modules"),
    [
        (None, "none", 0),
        (None, ["^feature_maps/", "block_2_"], 2),
        (None, "backbone", 3),
        (V2, "heads-only", 19),
        (V1, 8, 8),
        (RESNET, 2, 2),
    ],
    ids=["nothing", "patterns", "backbone", "all but V2's heads", "V1 blocks", "ResNet stages"],
)
def test_frozen_variables_are_unchanged_and_the_others_change(
    model: str | None, freeze: str | int | list[str], frozen_modules: int
) -> None:
    network = real(model) if model else toy()
    frozen = frozen_keys(network, freeze)
    hold_still(network, frozen)
    before = snapshot(network, network.variables)
    descend(network, frozen)
    rows = audit(network, frozen, before)
    assert sum(row.frozen > 0 and row.trained == 0 for row in rows) == frozen_modules
    assert all(row.frozen_max_abs_change == row.frozen_statistics_max_abs_change == 0 for row in rows)
    assert all(row.trained_max_abs_change > 0 for row in rows if row.trained)
    assert sum(row.frozen for row in rows) == len(frozen)
    assert sum(row.parameters for row in rows) == sum(value.size for value in before.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", [V1, V2, RESNET])
def test_every_backbone_has_the_blocks_of_its_definition(name: str) -> None:
    network = real(name)
    most = BLOCKS[MODELS[name].backbone]
    assert frozen_keys(network, most) == frozen_keys(network, "backbone") > frozen_keys(network, most - 1)
    with pytest.raises(ParamsError, match=f"this backbone has {most}"):
        frozen_keys(network, most + 1)
    assert auto_freeze(network, network.variables.keys()) == (3 if name == RESNET else 8)


def test_auto_freezes_the_first_blocks_if_all_of_them_were_restored(network: Network) -> None:
    eight = frozen_keys(network, 8)
    assert auto_freeze(network, eight) == 8
    assert auto_freeze(network, eight - {min(eight)}) == "none"
    assert auto_freeze(network, set()) == "none"


def test_the_audit_separates_weights_from_statistics_and_modules_from_each_other(network: Network) -> None:
    frozen = frozen_keys(network, 2)
    before = snapshot(network, network.variables)
    keys = {network.readable_name(key): key for key, variable in network.variables.items()}
    for name, value in (
        ("bn_Conv1/moving_mean", 0.25),
        ("block_1_expand/kernel", -0.5),
        ("block_2_expand/kernel", 2.0),
    ):
        variable = network.variables[keys[f"backbone/{name}"]]
        variable.assign_add(np.full(variable.shape, value))
    rows = {row.module: row for row in audit(network, frozen, before)}
    changes = [
        (row.frozen_max_abs_change, row.frozen_statistics_max_abs_change, row.trained_max_abs_change)
        for row in (rows[f"backbone block {block}"] for block in (0, 1, 2, 3))
    ]
    assert changes == [(0, 0.25, 0), (pytest.approx(0.5), 0, 0), (0, 0, pytest.approx(2.0)), (0, 0, 0)]
    assert rows["backbone block 2"].unchanged == rows["backbone block 2"].trained - 1


def test_a_frozen_nan_does_not_count_as_unchanged(network: Network) -> None:
    key = next(iter(frozen_keys(network, 1)))
    before = snapshot(network, [key])
    network.variables[key].assign(np.full(network.variables[key].shape, np.nan))
    assert np.isnan(max_abs_change(network, before))
    network.variables[key].assign(before[key])


def test_a_pattern_that_matches_no_name_is_an_error_with_example_names(network: Network) -> None:
    with pytest.raises(
        ParamsError, match=r"'MobilenetV1/Conv2d' matches the name of no variable; names are like .*backbone/"
    ):
        frozen_keys(network, ["block_1_", "MobilenetV1/Conv2d"])


def test_a_pattern_freezes_every_variable_whose_name_it_matches(network: Network) -> None:
    names = {network.readable_name(key) for key in frozen_keys(network, [r"block_1_.*kernel$", "Conv1/"])}
    assert names == {
        "backbone/Conv1/kernel",
        "backbone/bn_Conv1/beta",
        "backbone/bn_Conv1/gamma",
        "backbone/bn_Conv1/moving_mean",
        "backbone/bn_Conv1/moving_variance",
        "backbone/block_1_depthwise/depthwise_kernel",
        "backbone/block_1_expand/kernel",
        "backbone/block_1_project/kernel",
    }
