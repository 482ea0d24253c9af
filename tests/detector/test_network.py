"""Building and freezing a real (small-input) network."""

from pathlib import Path

import pytest
import tensorflow as tf

from tasks.detector.architectures.components import BACKBONE, COMPONENTS
from tasks.detector.architectures.ssd import Ssd
from tasks.detector.blocks import block_of
from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.errors import ConfigError, ParamsError
from tasks.training.batchnorm import hold_still
from tasks.training.freeze import frozen_keys, max_abs_change, snapshot, trainable
from tests.detector.small_network import small_network
from tests.detector.toy_network import toy_network

ZOO = Path(__file__).parents[2].parent / "shared" / "zoo"


@pytest.mark.parametrize("name", ["ssd_mobilenet_v2_fpnlite_640x640", "ssd_mobilenet_v1_fpn_640x640"])
def test_variables_have_the_names_and_shapes_of_the_zoos_checkpoints(name: str) -> None:
    if not ZOO.exists():
        pytest.skip(f"{ZOO} is not here: the zoo's variable lists are needed")
    rows = [line.split("\t") for line in (ZOO / name / "variables.tsv").read_text().splitlines()[1:]]
    zoo = {key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): shape for key, shape in rows}
    network = small_network(name, num_classes=90)
    ours = {key: "x".join(map(str, variable.shape)) for key, variable in network.variables.items()}
    assert {key: zoo[key] for key in ours} == ours
    assert zoo.keys() - ours.keys() == {"_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter"}


def test_every_component_has_variables_and_blocks_count_from_the_image(network: Network) -> None:
    assert {network.component_of(key) for key in network.variables} == set(COMPONENTS)
    blocks = {block_of(v.name) for key, v in network.variables.items() if network.component_of(key) == BACKBONE}
    assert blocks == set(range(18))


@pytest.mark.parametrize(
    ("key", "component"),
    [
        ("_feature_extractor/classification_backbone/layer_with_weights-3/gamma", "backbone"),
        ("_feature_extractor/_efficientnet/layer_with_weights-3/gamma", "backbone"),
        ("_feature_extractor/_bifpn_stage/node_combine_op/10/bifpn_combine_weights", "feature_maps"),
        ("_feature_extractor/_fpn_features_generator/top_layers/0/kernel", "feature_maps"),
        ("_feature_extractor/feature_map_generator/convolutions/1/0/kernel", "feature_maps"),
        ("_box_predictor/_head_scope_conv_layers/ClassPredictionTower/0/kernel", "tower"),
        ("_box_predictor/_base_tower_layers_for_heads/box_encodings/0/1/gamma", "tower"),
        ("_box_predictor/_base_tower_layers_for_heads/class_predictions_with_background/0/1/gamma", "tower"),
        ("_box_predictor/_box_prediction_head/_box_encoder_layers/0/bias", "box_head"),
        ("_box_predictor/_prediction_heads/box_encodings/0/_box_encoder_layers/0/bias", "box_head"),
        (
            "_box_predictor/_prediction_heads/class_predictions_with_background/_class_predictor_layers/0/bias",
            "class_head",
        ),
    ],
)
def test_a_key_gives_its_component(key: str, component: str) -> None:
    assert Ssd.component_of(f"model/{key}") == component


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("Conv1/kernel:0", 0),
        ("bn_Conv1/gamma:0", 0),
        ("expanded_conv_project/kernel:0", 0),
        ("block_7_expand/kernel:0", 7),
        ("Conv_1/kernel:0", 17),
        ("conv1/kernel:0", 0),
        ("conv1_bn/beta:0", 0),
        ("conv_dw_13/depthwise_kernel:0", 13),
        ("conv_pw_3_bn/gamma:0", 3),
        ("conv1_conv/kernel:0", 0),
        ("conv4_block6_2_conv/kernel:0", 3),
        ("stem_bn/gamma:0", 0),
        ("stack_0/block_0/depthwise_conv2d/depthwise_kernel:0", 0),
        ("stack_6/block_0/se_reduce_conv2d/bias:0", 6),
    ],
)
def test_a_backbone_layer_has_its_block(name: str, block: int) -> None:
    assert block_of(name) == block


def test_a_layer_without_a_known_block_is_an_error() -> None:
    with pytest.raises(ConfigError, match="dense_3/kernel"):
        block_of("dense_3/kernel:0")


def test_first_values_depend_on_the_seed_and_the_key_alone(network: Network) -> None:
    keys = sorted(network.variables)
    initialise(network, keys, seed=1)
    first = snapshot(network, set(keys))
    initialise(network, reversed(keys), seed=1)
    assert max_abs_change(network, first) == 0
    initialise(network, keys, seed=2)
    assert max_abs_change(network, first) > 0


@pytest.mark.parametrize(("freeze", "frozen_blocks"), [(4, 4), (8, 8), (18, 18), ("backbone", 18)])
def test_whole_blocks_are_frozen_with_their_statistics(network: Network, freeze: str | int, frozen_blocks: int) -> None:
    frozen = frozen_keys(network, freeze)
    expected = {
        key
        for key, variable in network.variables.items()
        if network.component_of(key) == BACKBONE and block_of(variable.name) < frozen_blocks
    }
    assert frozen == expected
    assert any(key.endswith("moving_mean") for key in frozen)
    assert not frozen & set(trainable(network, frozen))


def test_heads_only_trains_the_tower_and_the_heads(network: Network) -> None:
    left = {network.component_of(key) for key in trainable(network, frozen_keys(network, "heads-only"))}
    assert left == {"tower", "box_head", "class_head"}


def test_no_freeze_freezes_nothing_and_too_many_blocks_are_an_error(network: Network) -> None:
    assert frozen_keys(network, "none") == set()
    with pytest.raises(ParamsError, match="this backbone has 18"):
        frozen_keys(network, 19)


def test_frozen_statistics_are_unchanged_by_a_training_pass_and_others_change() -> None:
    network = toy_network()
    frozen = frozen_keys(network, 2)
    hold_still(network, frozen)
    statistics = {key for key in network.variables if key.endswith(("moving_mean", "moving_variance"))}
    still, moving = snapshot(network, frozen & statistics), snapshot(network, statistics - frozen)
    images = tf.random.stateless_uniform([2, 64, 64, 3], seed=[1, 2], maxval=255.0)
    tf.function(lambda x: network.forward(x, training=True)["box_encodings"])(images)
    assert max_abs_change(network, still) == 0
    assert max_abs_change(network, moving) > 0
