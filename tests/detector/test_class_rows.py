"""Rows of a class head kept by name: of arrays by hand, and of real networks whose logits are compared."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.artifacts.training import RestoreSummary
from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.class_rows import with_rows
from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.detector.restore import RestoreResult, restore
from tasks.model.label_map import write_label_map
from tests.artifacts.base_descriptions import describe_base
from tests.detector.small_network import V2, V2_SSD, small_network
from tests.detector.toy_network import toy_network

SIDE_PX = 160
IMAGE = np.random.default_rng(1).uniform(0, 255, (1, SIDE_PX, SIDE_PX, 3)).astype(np.float32)


def test_rows_are_counted_within_each_anchor_after_the_background() -> None:
    # Two anchors: background, then the base's classes A and B.
    base = np.array([1, 2, 3, 11, 12, 13], np.float32)
    initial = np.full(8, -5, np.float32)
    merged = with_rows(initial, base, [1, None, 0], 2)
    assert merged is not None
    assert merged.tolist() == [1, 3, -5, 2, 11, 13, -5, 12]
    assert initial.tolist() == [-5] * 8


def test_a_kernels_rows_are_its_last_axis() -> None:
    base = np.arange(2 * 6, dtype=np.float32).reshape(1, 1, 2, 6)
    merged = with_rows(np.zeros((1, 1, 2, 4), np.float32), base, [1], 2)
    assert merged is not None
    assert merged[0, 0].tolist() == [[0, 2, 3, 5], [6, 8, 9, 11]]


def test_without_a_background_the_first_row_is_a_class() -> None:
    merged = with_rows(np.zeros(2, np.float32), np.array([7, 8, 9], np.float32), [2, None], 3, background=False)
    assert merged is not None
    assert merged.tolist() == [9, 0]


@pytest.mark.parametrize(
    "shape",
    [(9,), (8,), (12,), (2, 6)],
    ids=["other anchors", "of equal size", "another count", "a kernel"],
)
def test_what_does_not_fit_together_has_no_rows(shape: tuple[int, ...]) -> None:
    assert with_rows(np.zeros(8, np.float32), np.ones(shape, np.float32), [0, 1, None], 2) is None


def trained_for(name: str, classes: tuple[str, ...], folder: Path) -> Network:
    """A network for `classes` whose weights and label map lie in `folder` as a base."""
    network = small_network(name, num_classes=len(classes), side_px=SIDE_PX)
    initialise(network, network.variables, seed=3)
    for key, variable in network.variables.items():
        if network.component_of(key) == CLASS_HEAD and key.endswith("/bias"):
            variable.assign(np.linspace(-3, 3, variable.shape[0]))
    describe_base(folder, "tf_checkpoint", source="mine")
    write_label_map(classes, folder / "label_map.pbtxt")
    tf.train.Checkpoint(model=network.model).write(str(folder / "checkpoint" / "ckpt-0"))
    return network


def logits(network: Network) -> np.ndarray:
    """`(anchors, 1 + classes)`."""
    run = tf.function(lambda image: network.forward(image, training=False), autograph=False)
    return run(tf.constant(IMAGE))["class_predictions_with_background"].numpy()[0]


def restored_for(name: str, classes: tuple[str, ...], base: Path) -> tuple[Network, RestoreResult]:
    network = small_network(name, num_classes=len(classes), side_px=SIDE_PX)
    initialise(network, network.variables, seed=4)
    return network, restore(network, base, classes)


@pytest.mark.parametrize("name", [V2, V2_SSD])
def test_a_class_added_to_a_trained_detector_leaves_the_others_as_they_were(name: str, tmp_path: Path) -> None:
    before = logits(trained_for(name, ("Person", "Car"), tmp_path))

    network, result = restored_for(name, ("Car", "Helmet", "person"), tmp_path)

    after = logits(network)
    np.testing.assert_allclose(after[:, [0, 1, 3]], before[:, [0, 2, 1]], rtol=1e-4, atol=1e-4)
    # A new class begins at a probability of 0.01.
    assert np.median(after[:, 2]) == pytest.approx(-4.6, abs=0.3)
    head = {key for key in network.variables if network.component_of(key) == CLASS_HEAD and "depthwise" not in key}
    assert result.keys == network.variables.keys() - head
    assert set(result.mismatched) == head
    assert set(result.mismatched.values()) == {"rows of 2 of 3 classes kept"}
    assert result.summary().class_rows == "rows of Car, person (from Person) kept by name; Helmet new"


def test_fewer_classes_in_another_order_fill_the_whole_class_head(tmp_path: Path) -> None:
    before = logits(trained_for(V2_SSD, ("Person", "Car", "Dog"), tmp_path))

    network, result = restored_for(V2_SSD, ("Dog", "Person"), tmp_path)

    assert result.keys == set(network.variables)
    np.testing.assert_allclose(logits(network), before[:, [0, 3, 1]], rtol=1e-4, atol=1e-4)
    assert result.summary().class_rows == "rows of Dog, Person kept by name"


def test_a_label_starts_from_the_class_that_the_mapping_names(tmp_path: Path) -> None:
    before = logits(trained_for(V2_SSD, ("Person", "Car"), tmp_path))
    describe_base(tmp_path, "tf_checkpoint", source="mine", class_names={"Coverall": "person"})

    network, result = restored_for(V2_SSD, ("Coverall", "Mask"), tmp_path)

    np.testing.assert_allclose(logits(network)[:, :2], before[:, :2], rtol=1e-4, atol=1e-4)
    assert result.summary().class_rows == "rows of Coverall (from Person) kept by name; Mask new"


def test_a_summary_without_kept_rows_has_no_such_keys() -> None:
    network = toy_network()
    summary = RestoreResult(network, "a test").summary()
    assert summary.class_rows == ""
    assert {"kept_classes", "new_classes"}.isdisjoint(summary.model_dump())
    assert RestoreSummary.model_validate(summary.model_dump()) == summary
