"""What a Faster R-CNN with an FPN has beyond one without: levels, and the OD API's objects that hold its layers."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.utils import spatial_transform_ops

from tasks.detector.architectures.components import CLASS_HEAD, COMPONENTS, FEATURE_MAPS
from tasks.detector.architectures.crops import crop_with_little_memory
from tasks.detector.network import build_network
from tasks.detector.restore import plain_name, restore
from tasks.model.label_map import write_label_map
from tasks.training.batchnorm import hold_still
from tasks.training.freeze import frozen_keys
from tasks.training.trunk import trunk_of
from tests.artifacts.base_descriptions import describe_base
from tests.detector.test_faster_rcnn import IMAGES, drawn
from tests.detector.toy_faster_rcnn import PROPOSALS
from tests.detector.toy_faster_rcnn_fpn import BLOCKS, toy_config, toy_fpn

pytestmark = pytest.mark.slow

# Anchors at one place of a level.
ANCHORS = 6


def boxes_of_many_sizes(count: int) -> np.ndarray:
    """`(2, count, 4)`; the first reaches to the far edges, the last has no area."""
    rng = np.random.default_rng(1)
    near = rng.uniform(0, 0.9, (2, count, 2))
    boxes = np.concatenate([near, near + (1 - near) * rng.uniform(0.01, 1, (2, count, 2))], axis=-1)
    boxes[:, 0], boxes[:, -1] = (0, 0, 1, 1), 0
    return boxes.astype(np.float32)


def test_crops_of_each_level_and_their_gradients_are_those_of_the_od_api() -> None:
    rng = np.random.default_rng(2)
    maps = [tf.constant(rng.normal(size=(2, side, side, 3)), tf.float32) for side in (16, 8, 4, 2, 1)]
    boxes = tf.constant(boxes_of_many_sizes(12))
    # No box is of the level before the last.
    levels = tf.constant([[0, 1, 2, 4] * 3, [4, 4, 0, 1] * 3])
    weights = tf.constant(rng.normal(size=(2, 12, 4, 4, 3)), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, 12, 4]), tf.TensorSpec([None, 12], tf.int32)], autograph=False)
    def ours(boxes: tf.Tensor, levels: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(maps)
            found = crop_with_little_memory(maps, boxes, levels, [4, 4])
            value = tf.reduce_sum(found * weights)
        return found, tape.gradient(value, maps)

    found, gradients = ours(boxes, levels)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        wanted = spatial_transform_ops.multilevel_matmul_crop_and_resize(maps, boxes, levels, [4, 4])
        value = tf.reduce_sum(wanted * weights)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    for one, other in zip(gradients, tape.gradient(value, maps), strict=True):
        np.testing.assert_allclose(one, tf.convert_to_tensor(other), atol=1e-3)
    assert not np.any(gradients[3])


def test_the_backbone_is_the_whole_resnet_and_the_pyramid_and_dense_layers_are_feature_maps() -> None:
    network = toy_fpn()
    assert {network.component_of(key) for key in network.variables} == set(COMPONENTS)
    assert set(network.blocks().values()) == set(range(BLOCKS))
    own = {network.variables[key].name.rsplit("/", 2)[-2] for key in network.keys_of(FEATURE_MAPS)}
    assert own == {
        *(f"projection_{level}" for level in range(1, 5)),
        *(f"smoothing_{level}_{kind}" for level in range(1, 4) for kind in ("conv", "batchnorm")),
        *(f"bottom_up_block5_{kind}" for kind in ("conv", "batchnorm")),
        *(f"second_stage_{layer}" for layer in ("dense_1", "batchnorm", "dense_2")),
    }


def test_every_build_gives_a_variable_the_same_plain_name() -> None:
    names = [{key: plain_name(each.name) for key, each in toy_fpn().variables.items()} for _ in range(2)]
    assert names[0] == names[1]
    assert len(set(names[0].values())) == len(names[0])


@pytest.mark.parametrize("levels", [(2, 6), (2, 4), (5, 6)])
def test_a_checkpoint_of_the_od_apis_own_model_fills_all_but_the_class_head(tmp_path: Any, levels: Any) -> None:
    theirs = model_builder.build(toy_config(levels=levels, num_classes=90).model, is_training=False)
    theirs.predict(theirs.preprocess(tf.constant(IMAGES))[0], tf.constant([[64, 64, 3]] * 2))
    base = describe_base(tmp_path / "base", "tf_checkpoint", source="test")
    write_label_map([f"coco {i}" for i in range(90)], base / "label_map.pbtxt")
    tf.train.Checkpoint(model=theirs).write(str(base / "checkpoint" / "ckpt-0"))

    network = drawn(toy_config(levels=levels, num_classes=3))
    result = restore(network, base, ("cat", "dog", "bird"))
    assert result.keys == set(network.variables) - network.keys_of(CLASS_HEAD)
    stages = {layer.name: layer for layer in theirs._feature_extractor.classification_backbone.layers}
    backbone = network.architecture.backbone
    assert backbone is not None
    for layer in (layer for layer in backbone.layers if layer.weights):
        for own, other in zip(layer.weights, stages[layer.name].weights, strict=True):
            np.testing.assert_array_equal(own, other)
    # Stages that no level is made of are left out.
    assert max(network.blocks().values()) == min(levels[1], 5) - 1
    assert {"/classification_backbone/" in name for name in result.left_over} == ({True} if levels[1] < 5 else set())


def test_a_level_that_is_left_out_is_not_computed_for_the_features_of_the_trunk() -> None:
    network = drawn(toy_config(levels=(3, 5)))
    frozen = frozen_keys(network, "backbone")
    hold_still(network, frozen)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    assert [spec.shape.as_list()[0] for spec in trunk.specs] == [8, 4, 2]


def test_anchors_beyond_an_input_that_is_no_multiple_of_32_keep_their_predictions() -> None:
    # The maps are those of 96 pixels, and some anchors at their edge lie beyond the 72.
    network = build_network(toy_config(side_px=72), is_training=False)
    images = np.zeros((2, 72, 72, 3), np.float32)
    raw = tf.function(lambda images: network.forward(images, training=False), autograph=False)(images)
    places = sum(side**2 for side in (24, 12, 6, 3, 2))
    assert raw["anchors"].shape == (places * ANCHORS, 4)
    assert raw["rpn_box_encodings"].shape[1] == places * ANCHORS
    assert raw["proposal_boxes"].shape == (2, PROPOSALS, 4)
    assert raw["anchors"].numpy().max() <= 72


def test_anchors_are_in_the_order_of_the_predictions_of_their_levels() -> None:
    network = toy_fpn()
    raw = tf.function(lambda images: network.forward(images, training=False), autograph=False)(IMAGES)
    anchors = raw["anchors"].numpy()
    start = 0
    for level, side in enumerate((16, 8, 4, 2, 1)):
        stride = 4 * 2**level
        own = anchors[start : start + side * side * ANCHORS]
        start += len(own)
        ymin, xmin, ymax, xmax = own.reshape(side, side, ANCHORS, 4)[side // 2, side // 2, 0]
        # Those of coarser levels are clipped.
        if level < 2:
            np.testing.assert_allclose([ymax - ymin, xmax - xmin], 4 * stride)
            np.testing.assert_allclose([ymax + ymin, xmax + xmin], (side + 1) * stride)
        assert raw["feature_maps"][level].shape[1:3] == (side, side)
    assert start == len(anchors)
