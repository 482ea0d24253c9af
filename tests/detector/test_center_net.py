"""CenterNet through its adapter: components, first values, losses, boxes on a padded input, and restoring."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, FEATURE_MAPS, TOWER
from tasks.detector.canvas import true_shape
from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.detector.restore import restore
from tasks.model.label_map import write_label_map
from tasks.training.freeze import max_abs_change, snapshot
from tests.artifacts.base_descriptions import describe_base
from tests.detector.toy_center_net import BLOCKS, toy_center_net

SIDE_PX = 64
CELLS = SIDE_PX // 4


@pytest.fixture(scope="module")
def toy() -> Network:
    network = toy_center_net(side_px=SIDE_PX)
    initialise(network, network.variables, seed=1)
    return network


def provide_boxes(network: Network, boxes: list[list[list[float]]], classes: list[list[int]]) -> None:
    """Ground truth, each image's padded with one box that does not count."""
    rows = [tf.constant([*image, [0.0] * 4], tf.float32) for image in boxes]
    one_hot = [tf.one_hot([*image, 0], network.num_classes) for image in classes]
    weights = [tf.constant([1.0] * len(image) + [0.0]) for image in boxes]
    network.model.provide_groundtruth(
        groundtruth_boxes_list=rows,
        groundtruth_classes_list=[hot * each[:, tf.newaxis] for hot, each in zip(one_hot, weights, strict=True)],
        groundtruth_weights_list=weights,
    )


def test_every_variable_belongs_to_a_component_and_those_that_nothing_depends_on_are_left_out(toy: Network) -> None:
    counts = {name: len(toy.keys_of(name)) for name in (BACKBONE, FEATURE_MAPS, TOWER, BOX_HEAD, CLASS_HEAD)}
    assert counts == {BACKBONE: 15, FEATURE_MAPS: 11, TOWER: 9, BOX_HEAD: 4, CLASS_HEAD: 2}
    assert not any("post_bn" in variable.name for variable in toy.variables.values())
    assert set(toy.blocks().values()) == set(range(BLOCKS))
    assert not toy.architecture.has_background_class


def test_all_that_depends_on_the_classes_is_the_class_head(toy: Network) -> None:
    other = toy_center_net(num_classes=7, side_px=SIDE_PX)
    assert list(other.variables) == list(toy.variables)
    differing = {key for key in toy.variables if toy.variables[key].shape != other.variables[key].shape}
    assert differing == toy.keys_of(CLASS_HEAD)
    names = [{key: variable.name for key, variable in network.variables.items()} for network in (toy, other)]
    assert names[0] == names[1]


def test_a_new_class_head_expects_a_centre_as_seldom_as_the_papers(toy: Network) -> None:
    (bias,) = (toy.variables[key].numpy() for key in toy.keys_of(CLASS_HEAD) if key.endswith("/bias"))
    assert bias == pytest.approx(-2.19)


def test_the_two_losses_add_up_to_those_of_the_model(toy: Network) -> None:
    provide_boxes(toy, [[[0.1, 0.2, 0.5, 0.6], [0.3, 0.3, 0.4, 0.9]], [[0.5, 0.5, 0.9, 0.75]]], [[0, 1], [1]])
    images = tf.random.stateless_uniform([2, SIDE_PX, SIDE_PX, 3], seed=[1, 2], maxval=255.0)
    shapes = tf.constant([[SIDE_PX, SIDE_PX, 3], [SIDE_PX, SIDE_PX // 2, 3]])
    predictions = toy.forward(images, shapes, training=False)
    losses = toy.architecture.losses(predictions, shapes)
    stock = toy.model.loss(predictions, shapes)
    assert len(stock) == 3
    assert float(losses.classification + losses.localization) == pytest.approx(float(sum(stock.values())), rel=1e-6)
    assert losses.matches is not None
    assert float(losses.matches) == 3.0
    beside = tf.constant(np.arange(CELLS) >= CELLS // 2, tf.float32)[:, tf.newaxis] * [[[[0.0]]], [[[3.0]]]]
    changed = {**predictions, "object_center": [predictions["object_center"][0] + beside]}
    assert float(toy.architecture.losses(changed, shapes).classification) == pytest.approx(float(losses.classification))


def test_detections_are_in_coordinates_of_the_photo_and_none_lies_beside_it(toy: Network) -> None:
    """The photo is the upper half of the input; centres below it are strongest, and must not be found."""
    centres = np.full((1, CELLS, CELLS, 2), -9.0, np.float32)
    centres[0, 4, 8, 1] = 2.0
    centres[0, 12, 3, 0] = 5.0
    scales = np.zeros((1, CELLS, CELLS, 2), np.float32)
    scales[0, 4, 8] = [4.0, 8.0]
    offsets = np.full((1, CELLS, CELLS, 2), 0.5, np.float32)
    maps = {"object_center": centres, "box/scale": scales, "box/offset": offsets}
    shapes = true_shape(tf.constant([SIDE_PX // 2, SIDE_PX]))[tf.newaxis]
    found = toy.architecture.postprocess({name: [tf.constant(map_)] for name, map_ in maps.items()}, shapes)
    best = int(np.argmax(found["detection_scores"][0]))
    assert best == 0
    assert int(found["detection_classes"][0, 0]) == 1
    np.testing.assert_allclose(found["detection_boxes"][0, 0], [2.5 / 8, 4.5 / 16, 6.5 / 8, 12.5 / 16], atol=1e-6)
    assert float(found["detection_scores"][0, 1]) < 0.01
    assert all(value.dtype == tf.float32 for value in found.values())


def test_a_checkpoint_of_many_classes_fills_all_but_the_class_head(toy: Network, tmp_path: Path) -> None:
    many = toy_center_net(num_classes=90, side_px=SIDE_PX)
    initialise(many, many.variables, seed=5)
    base = describe_base(tmp_path / "base", "tf_checkpoint", source="test")
    tf.train.Checkpoint(model=many.model).write(str(base / "checkpoint" / "ckpt-0"))
    names = tuple(f"class {i}" for i in range(90))
    write_label_map(names, base / "label_map.pbtxt")
    few = toy_center_net(num_classes=3, side_px=SIDE_PX)
    initialise(few, few.variables, seed=6)

    restored = restore(few, base, ("a", "b", "c"))
    assert restored.keys == set(few.variables) - few.keys_of(CLASS_HEAD)
    expected = snapshot(many, restored.keys)
    assert max_abs_change(few, expected) == 0

    known = restore(few, base, ("class 7", "b", "class 89"))
    assert set(known.kept_classes) == {"class 7", "class 89"}
    (key,) = (key for key in few.keys_of(CLASS_HEAD) if key.endswith("/kernel"))
    np.testing.assert_array_equal(few.variables[key][..., 2], many.variables[key][..., 89])
    np.testing.assert_array_equal(few.variables[key][..., 0], many.variables[key][..., 7])
