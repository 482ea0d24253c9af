"""Faster R-CNN's adapter, on toys without and with an FPN: losses, draws, inference, and which weights a base fills."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from object_detection.utils import spatial_transform_ops

from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, COMPONENTS, FEATURE_MAPS, TOWER
from tasks.detector.initialise import initialise
from tasks.detector.model_settings.faster_rcnn_fpn import has_fpn
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.detector.restore import plain_name, restore
from tasks.model.label_map import write_label_map
from tasks.training.batchnorm import hold_still, set_decay
from tasks.training.freeze import frozen_keys, max_abs_change, snapshot
from tasks.training.trunk import trunk_of
from tests.artifacts.base_descriptions import describe_base
from tests.detector import toy_faster_rcnn_fpn
from tests.detector.toy_faster_rcnn import BLOCKS, PROPOSALS, dynamic_config, toy_config, toy_faster_rcnn

pytestmark = pytest.mark.slow

IMAGES = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
SHAPES = tf.constant([[64, 64, 3], [32, 64, 3]])
# The second of each image is padding.
BOXES = tf.constant([[[0.1, 0.2, 0.6, 0.7], [0.0, 0.0, 0.0, 0.0]], [[0.0, 0.5, 0.4, 0.9], [0.0, 0.0, 0.0, 0.0]]])
CLASSES = tf.constant([[[0.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
WEIGHTS = tf.constant([[1.0, 0.0], [1.0, 0.0]])


def drawn(config: PipelineConfig, *, is_training: bool = True, seed: int = 1) -> Network:
    """A network whose values differ enough for boxes and scores to differ from proposal to proposal."""
    network = build_network(config, is_training=is_training)
    initialise(network, network.variables, seed=seed)
    rng = np.random.default_rng(seed)
    for key in sorted(network.keys_of(BOX_HEAD, CLASS_HEAD)):
        network.variables[key].assign(rng.normal(0, 0.3, network.variables[key].shape))
    return network


def give_groundtruth(network: Network) -> None:
    network.model.provide_groundtruth(
        groundtruth_boxes_list=tf.unstack(BOXES),
        groundtruth_classes_list=tf.unstack(CLASSES),
        groundtruth_weights_list=tf.unstack(WEIGHTS),
    )


def trained_predictions(network: Network, forward: Any = None, inputs: Any = IMAGES) -> dict[str, tf.Tensor]:
    """Of a training step; every variable keeps its value."""
    before = snapshot(network, network.variables)

    def predict(values: Any) -> dict[str, Any]:
        give_groundtruth(network)
        with network.architecture.seeded(3, tf.constant(5)):
            found = (forward or network.forward)(values, SHAPES, training=True)
        return {name: value for name, value in found.items() if isinstance(value, tf.Tensor)}

    found: dict[str, tf.Tensor] = tf.function(predict, autograph=False)(inputs)
    for key, value in before.items():
        network.variables[key].assign(value)
    return found


@pytest.fixture(scope="module", params=[toy_config, dynamic_config, toy_faster_rcnn_fpn.toy_config])
def config(request: pytest.FixtureRequest) -> PipelineConfig:
    """As the zoo's models of 640 pixels, as that of 800 x 1333, and as those of 640 pixels with an FPN."""
    config: PipelineConfig = request.param()
    return config


@pytest.fixture(scope="module")
def network(config: PipelineConfig) -> Network:
    return drawn(config)


def test_every_component_has_variables_and_blocks_count_from_the_image() -> None:
    network = toy_faster_rcnn()
    assert {network.component_of(key) for key in network.variables} == set(COMPONENTS)
    assert set(network.blocks().values()) == set(range(BLOCKS))
    names = {network.readable_name(key) for key in network.keys_of(FEATURE_MAPS, TOWER)}
    assert {name.split("/")[1] for name in names} == {"conv5_block1_1_conv", "conv5_block1_1_bn", "RPNConv"}


def test_objectness_does_not_depend_on_the_classes_and_boxes_do_where_each_class_has_its_own() -> None:
    shared, own = (toy_faster_rcnn(config) for config in (toy_config(), dynamic_config()))
    boxes = "_mask_rcnn_box_predictor/_box_prediction_head"
    for network, component in ((shared, BOX_HEAD), (own, CLASS_HEAD)):
        assert {network.component_of(key) for key in network.variables if boxes in key} == {component}
        assert {network.component_of(key) for key in network.variables if "/_first_stage_box_predictor/" in key} == {
            BOX_HEAD
        }


def test_the_two_losses_are_the_sum_of_the_models_four(network: Network) -> None:
    def losses() -> Any:
        give_groundtruth(network)
        with network.architecture.seeded(3, tf.constant(5)):
            predictions = network.forward(tf.constant(IMAGES), SHAPES, training=True)
            ours = network.architecture.losses(predictions, SHAPES)
        # The same draws again: both stages sample in the same order.
        with network.architecture.seeded(3, tf.constant(5)):
            predictions = network.forward(tf.constant(IMAGES), SHAPES, training=True)
            theirs = network.model.loss(predictions, SHAPES)
        return ours, theirs

    ours, theirs = tf.function(losses, autograph=False)()
    assert len(theirs) == 4
    # Of sampled proposals, none may be near enough to a box for the second stage to move it.
    assert {name for name, value in theirs.items() if float(value) == 0} <= {"Loss/BoxClassifierLoss/localization_loss"}
    np.testing.assert_allclose(float(ours.classification + ours.localization), sum(map(float, theirs.values())))
    assert float(ours.matches) == len(IMAGES)


def test_draws_depend_on_seed_and_step_alone(network: Network) -> None:
    def proposals(seed: int) -> Any:
        def predict(step: tf.Tensor) -> tf.Tensor:
            give_groundtruth(network)
            with network.architecture.seeded(seed, step):
                return network.forward(tf.constant(IMAGES), SHAPES, training=True)["proposal_boxes"]

        return tf.function(predict, autograph=False)

    of_one, again, of_other = proposals(1), proposals(1), proposals(2)
    steps = [of_one(tf.constant(step)).numpy() for step in range(4)]
    of_one_graph = of_one.get_concrete_function(tf.TensorSpec([], tf.int32)).graph
    np.testing.assert_array_equal(steps[2], again(tf.constant(2)).numpy())
    assert any(not np.array_equal(steps[0], other) for other in steps[1:])
    assert any(not np.array_equal(steps[step], of_other(tf.constant(step)).numpy()) for step in range(4))
    kinds = {operation.type for operation in of_one_graph.get_operations()}
    assert "RandomShuffle" not in kinds
    assert "StatelessShuffle" in kinds


def test_inference_of_a_network_in_training_is_that_of_an_exported_one(
    config: PipelineConfig, network: Network
) -> None:
    exported = drawn(config, is_training=False)
    for key, variable in network.variables.items():
        exported.variables[key].assign(variable)
    exported.model._crop_and_resize_fn = spatial_transform_ops.multilevel_matmul_crop_and_resize

    def stock(images: tf.Tensor) -> dict[str, tf.Tensor]:
        raw = exported.model.predict(exported.architecture.preprocess(images), SHAPES)
        return exported.model.postprocess(raw, SHAPES) | {"proposals": raw["proposal_boxes"]}

    def ours(images: tf.Tensor) -> dict[str, tf.Tensor]:
        raw = network.forward(images, SHAPES, training=False)
        return network.detections(raw, SHAPES) | {"proposals": raw["proposal_boxes"]}

    theirs, found = (tf.function(each, autograph=False)(IMAGES) for each in (stock, ours))
    assert found["proposals"].shape == (2, PROPOSALS, 4)
    assert theirs["num_detections"].numpy().min() > 0
    for name in ("proposals", "detection_boxes", "detection_scores", "detection_classes", "num_detections"):
        np.testing.assert_allclose(found[name], theirs[name], atol=1e-4, err_msg=name)
    assert trained_predictions(network)["proposal_boxes"].shape[1] < PROPOSALS


def test_boxes_are_fractions_of_the_photo_and_not_of_the_padded_input(network: Network) -> None:
    def detect(images: tf.Tensor) -> tuple[Any, Any]:
        raw = network.forward(images, SHAPES, training=False)
        return {name: raw[name] for name in ("refined_box_encodings", "proposal_boxes")}, network.detections(
            raw, SHAPES
        )

    raw, found = tf.function(detect, autograph=False)(IMAGES)
    count = int(found["num_detections"][1])
    proposals = found["detection_anchor_indices"].numpy()[1][:count]
    encodings = raw["refined_box_encodings"].numpy().reshape(2, PROPOSALS, -1, 4)[1][proposals]
    classes = found["detection_classes"].numpy()[1][:count].astype(int)
    own = encodings[np.arange(count), np.minimum(classes, encodings.shape[1] - 1)]
    ymin, xmin, ymax, xmax = raw["proposal_boxes"].numpy()[1][proposals].T
    height, width = ymax - ymin, xmax - xmin
    y, x = own[:, 0] / 10 * height + (ymin + ymax) / 2, own[:, 1] / 10 * width + (xmin + xmax) / 2
    height, width = height * np.exp(own[:, 2] / 5), width * np.exp(own[:, 3] / 5)
    on_canvas = np.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], axis=1)
    expected = np.clip(on_canvas, 0, [32, 64, 32, 64]) / [32, 64, 32, 64]
    assert count > 3
    np.testing.assert_allclose(found["detection_boxes"].numpy()[1][:count], expected, atol=1e-4)


@pytest.mark.parametrize("freeze", [2, "backbone", "heads-only"])
def test_predictions_from_the_trunks_features_equal_those_from_the_image(
    config: PipelineConfig, freeze: int | str
) -> None:
    network = drawn(config)
    frozen = frozen_keys(network, freeze)
    hold_still(network, frozen)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    whole = trained_predictions(network)
    behind = trained_predictions(network, trunk.forward, trunk.features(tf.constant(IMAGES)))
    side = 16 if has_fpn(config.model.faster_rcnn) else 8 if freeze == 2 else 4
    assert trunk.specs[0].shape.as_list()[:2] == [side, side]
    for name in ("rpn_box_encodings", "proposal_boxes", "class_predictions_with_background", "refined_box_encodings"):
        np.testing.assert_allclose(behind[name], whole[name], atol=1e-4, err_msg=name)


def test_frozen_statistics_are_unchanged_by_a_training_pass_and_others_change(config: PipelineConfig) -> None:
    network = drawn(config)
    frozen = frozen_keys(network, "backbone")
    hold_still(network, frozen)
    before = snapshot(network, network.variables)

    def step(images: tf.Tensor) -> tf.Tensor:
        give_groundtruth(network)
        with network.architecture.seeded(3, tf.constant(5)):
            return network.forward(images, SHAPES, training=True)["class_predictions_with_background"]

    tf.function(step, autograph=False)(IMAGES)
    moved = {key for key, value in before.items() if max_abs_change(network, {key: value}) > 0}
    assert moved == {key for key in network.keys_of(FEATURE_MAPS) if "/moving_" in key}


def test_statistics_follow_with_the_decay_of_the_params() -> None:
    network = toy_faster_rcnn()
    set_decay(network, 0.7)
    assert {layer.momentum for layer in network.model.submodules if hasattr(layer, "moving_mean")} == {0.7}


def test_without_batch_norm_trainable_no_statistics_follow() -> None:
    config = toy_config()
    config.model.faster_rcnn.feature_extractor.batch_norm_trainable = False
    network = drawn(config)
    assert hold_still(network, frozen_keys(network, "backbone")) == []


def written_base(folder: Path, network: Network, classes: tuple[str, ...]) -> Path:
    base = describe_base(folder / "base", "tf_checkpoint", source="test")
    write_label_map(classes, base / "label_map.pbtxt")
    tf.train.Checkpoint(model=network.model).write(str(base / "checkpoint" / "ckpt-0"))
    return base


def test_a_checkpoint_of_90_classes_fills_all_but_the_class_head(tmp_path: Path) -> None:
    coco = drawn(toy_config(num_classes=90), seed=3)
    base = written_base(tmp_path, coco, tuple(f"coco {i}" for i in range(90)))
    network = drawn(toy_config(num_classes=3))
    result = restore(network, base, ("cat", "dog", "bird"))
    assert result.keys == set(network.variables) - network.keys_of(CLASS_HEAD)
    assert result.left_over == set()
    assert max_abs_change(network, snapshot(coco, result.keys)) == 0


def test_boxes_and_scores_of_a_class_are_kept_by_its_name(tmp_path: Path) -> None:
    known = ("dog", "fish", "cat", "cow")
    coco = drawn(dynamic_config(num_classes=4), seed=3)
    network = drawn(dynamic_config(num_classes=2))
    before = snapshot(network, network.variables)
    result = restore(network, written_base(tmp_path, coco, known), ("cat", "horse"))
    assert result.kept_classes == {"cat": "cat"}
    for key in network.keys_of(CLASS_HEAD):
        of_boxes = network.architecture.has_boxes_by_class(key)
        ours, old, theirs = network.variables[key].numpy(), before[key], coco.variables[key].numpy()
        if of_boxes:
            np.testing.assert_array_equal(ours[..., :4], theirs[..., 8:12])
            np.testing.assert_array_equal(ours[..., 4:], old[..., 4:])
        else:
            np.testing.assert_array_equal(ours[..., :2], theirs[..., [0, 3]])
            np.testing.assert_array_equal(ours[..., 2:], old[..., 2:])


def test_every_build_gives_a_variable_the_same_plain_name() -> None:
    first, second = toy_faster_rcnn(), toy_faster_rcnn()
    names = {key: plain_name(variable.name) for key, variable in first.variables.items()}
    assert names == {key: plain_name(variable.name) for key, variable in second.variables.items()}
    assert len(set(names.values())) == len(names)


def test_keys_name_the_parts_of_the_zoos_checkpoints() -> None:
    backbone = toy_faster_rcnn().keys_of(BACKBONE)
    assert "model/_feature_extractor_for_proposal_features/layer_with_weights-0/kernel" in backbone
