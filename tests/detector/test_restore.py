"""Which variables of a real network (with a small input) a base restores, and what is reported of the others."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.artifacts.training import RestoredComponent
from tasks.detector.architectures.components import BACKBONE, CLASS_HEAD
from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.detector.restore import RestoreResult, restore
from tasks.errors import CheckpointError
from tasks.model.label_map import write_label_map
from tasks.training.freeze import max_abs_change, snapshot
from tasks.training.summary import print_restored
from tests.artifacts.base_descriptions import describe_base

CLASSES = ("cat", "dog")


def write_base(folder: Path, kind: str, **weights: np.ndarray) -> Path:
    describe_base(folder, kind, source="test")
    if kind == "weights":
        np.savez(folder / "weights.npz", allow_pickle=False, **weights)
    return folder


def test_restoring_a_checkpoint_fills_all_but_a_class_head_of_other_classes(network: Network, tmp_path: Path) -> None:
    initialise(network, network.variables, seed=3)
    base = write_base(tmp_path / "base", "tf_checkpoint")
    write_label_map(("bird", "fish"), base / "label_map.pbtxt")
    tf.train.Checkpoint(model=network.model).write(str(base / "checkpoint" / "ckpt-0"))
    wanted = snapshot(network, set(network.variables))
    initialise(network, network.variables, seed=4)
    assert max_abs_change(network, wanted) > 0
    result = restore(network, base, CLASSES)
    assert result.keys == {key for key in network.variables if network.component_of(key) != CLASS_HEAD}
    assert max_abs_change(network, {key: wanted[key] for key in result.keys}) == 0
    write_label_map(CLASSES, base / "label_map.pbtxt")
    assert restore(network, base, CLASSES).keys == set(network.variables)


def test_a_mismatched_variable_is_named_and_a_missing_one_is_new(network: Network, tmp_path: Path) -> None:
    base = write_base(
        tmp_path / "base",
        "weights",
        **{"Conv1/kernel": np.ones((3, 3, 3, 32), np.float32), "bn_Conv1/gamma": np.ones((7,), np.float32)},
    )
    result = restore(network, base, CLASSES)
    summary = result.summary()
    (backbone,) = [row for row in summary.modules if row.module == BACKBONE]
    assert backbone == RestoredComponent(module=BACKBONE, variables=260, restored=1, new=258, mismatched=1)
    assert len(summary.mismatched) == 1
    assert "(7,) in the base, (32,) in the model" in summary.mismatched[0]
    assert summary.left_over == []


def test_weights_that_the_model_has_no_variable_for_are_left_over(network: Network, tmp_path: Path) -> None:
    arrays = {"Conv1/kernel": np.ones((3, 3, 3, 32), np.float32), "Conv9/kernel": np.ones(2, np.float32)}
    base = write_base(tmp_path / "base", "weights", **arrays)
    assert restore(network, base, CLASSES).left_over == {"Conv9/kernel"}


def test_the_training_log_names_the_first_left_over_variables(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    print_restored(RestoreResult(network, "a test", left_over={f"model/x/{i}" for i in range(5)}))
    log = capsys.readouterr().out
    assert "5 variables of these weights are not in the model: model/x/0, model/x/1, model/x/2, ...\n" in log
    print_restored(RestoreResult(network, "a test"))
    assert "not in the model" not in capsys.readouterr().out


def test_optimizer_variables_of_a_checkpoint_are_not_left_over(network: Network, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "tf_checkpoint")
    backbone = {key: variable for key, variable in network.variables.items() if network.component_of(key) == BACKBONE}
    (kernel, *_) = sorted(backbone)
    others = ("model/second_head/bias", f"{kernel}/.OPTIMIZER_SLOT/optimizer/m", "optimizer/iter", "save_counter")
    values = {**backbone, **{key: tf.zeros([2]) for key in others}}
    (base / "checkpoint").mkdir()
    names = [f"{key}/.ATTRIBUTES/VARIABLE_VALUE" for key in values]
    tf.raw_ops.SaveV2(
        prefix=str(base / "checkpoint" / "ckpt-0"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.convert_to_tensor(value) for value in values.values()],
    )
    result = restore(network, base, CLASSES)
    assert result.keys == set(backbone)
    assert result.summary().left_over == ["model/second_head/bias"]


def test_arrays_are_found_by_checkpoint_key_too_and_the_fallback_is_named(network: Network, tmp_path: Path) -> None:
    key = next(key for key, variable in network.variables.items() if variable.name == "Conv1/kernel:0")
    base = write_base(tmp_path / "base", "weights", **{key: np.full((3, 3, 3, 32), 0.25, np.float32)})
    describe_base(base, source="base", fallback="it does not fit")
    result = restore(network, base, CLASSES)
    assert result.keys == {key}
    assert result.source == "base: a test (it does not fit)"
    assert float(network.variables[key].numpy().min()) == 0.25


def saved_model_base(base: Path, *variables: tf.Variable) -> Path:
    """A SavedModel's variables in `base`, in an order and under keys that no checkpoint of a detector has."""
    holder = tf.Module()
    holder.things = list(reversed(variables))
    tf.saved_model.save(holder, str(write_base(base, "saved_model")))
    return base


def test_a_saved_model_is_restored_by_the_names_of_its_variables(network: Network, tmp_path: Path) -> None:
    initialise(network, network.variables, seed=5)
    wanted = snapshot(network, set(network.variables))
    base = saved_model_base(tmp_path / "base", *network.variables.values())
    initialise(network, network.variables, seed=6)

    result = restore(network, base, CLASSES)

    assert result.keys == {key for key in network.variables if network.component_of(key) != CLASS_HEAD}
    assert max_abs_change(network, {key: wanted[key] for key in result.keys}) == 0
    assert set(result.mismatched.values()) == {"trained for other classes"}
    assert result.left_over == set()


def test_the_number_in_the_extractors_name_in_a_saved_model_does_not_matter(network: Network, tmp_path: Path) -> None:
    key, variable = next(item for item in sorted(network.variables.items()) if "FeatureMaps" in item[1].name)
    _, _, layer = variable.name.removesuffix(":0").partition("/")
    named = tf.Variable(tf.fill(variable.shape, 0.125), name=f"ssd_any_keras_feature_extractor_41/{layer}")
    backbone = next(variable for variable in network.variables.values() if variable.name == "Conv1/kernel:0")

    result = restore(network, saved_model_base(tmp_path / "base", named, backbone), CLASSES)

    assert result.keys >= {key}
    assert float(network.variables[key].numpy().max()) == 0.125


def test_a_saved_model_with_two_variables_of_one_name_is_refused(network: Network, tmp_path: Path) -> None:
    base = saved_model_base(tmp_path / "base", *(tf.Variable(float(i), name="Conv1/kernel") for i in range(2)))
    with pytest.raises(CheckpointError, match="2 variables are named Conv1/kernel"):
        restore(network, base, CLASSES)


def test_a_saved_model_without_variables_is_refused(network: Network, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "saved_model")
    (base / "variables").mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(base / "variables" / "variables"), tensor_names=["x"], shape_and_slices=[""], tensors=[tf.zeros(2)]
    )
    with pytest.raises(CheckpointError, match="no TensorFlow 2 SavedModel"):
        restore(network, base, CLASSES)


def test_weights_of_another_model_are_refused(network: Network, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "weights", **{"dense/kernel": np.ones((2, 2), np.float32)})
    with pytest.raises(CheckpointError, match="nothing of the backbone"):
        restore(network, base, CLASSES)


def test_a_checkpoint_that_fits_the_backbone_by_accident_is_refused(network: Network, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "tf_checkpoint")
    backbone = sorted(network.keys_of(BACKBONE))
    # Keys of a checkpoint are numbers of layers: another model has some of them with the same shapes.
    root = tf.train.Checkpoint()
    for key in backbone[:10]:
        at = root
        *parents, last = key.split("/")
        for name in parents:
            if not hasattr(at, name):
                setattr(at, name, tf.train.Checkpoint())
            at = getattr(at, name)
        setattr(at, last, tf.Variable(network.variables[key].numpy()))
    root.write(str(base / "checkpoint" / "ckpt-0"))
    with pytest.raises(CheckpointError, match=r"only 10 of 260 variables of the backbone .* for another model; set"):
        restore(network, base, CLASSES)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(network: Network, tmp_path: Path, value: float) -> None:
    kernel = np.ones((3, 3, 3, 32), np.float32)
    kernel[0, 0, 0, 5] = value
    base = write_base(tmp_path / "base", "weights", **{"Conv1/kernel": kernel})
    with pytest.raises(CheckpointError, match=r"Conv1/kernel of test.* not finite numbers"):
        restore(network, base, CLASSES)


def test_a_damaged_checkpoint_is_an_error_that_names_it(network: Network, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "tf_checkpoint")
    (base / "checkpoint").mkdir()
    (base / "checkpoint" / "ckpt-0.index").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match=r"ckpt-0\.index"):
        restore(network, base, CLASSES)


@pytest.mark.parametrize("damage", ["a bit turned", "cut short"])
def test_damaged_values_of_a_checkpoint_are_an_error_that_names_them(
    network: Network, tmp_path: Path, damage: str
) -> None:
    base = write_base(tmp_path / "base", "tf_checkpoint")
    tf.train.Checkpoint(model=network.model).write(str(base / "checkpoint" / "ckpt-0"))
    data = base / "checkpoint" / "ckpt-0.data-00000-of-00001"
    content = data.read_bytes()
    half = len(content) // 2
    rest = b"" if damage == "cut short" else bytes([content[half] ^ 1]) + content[half + 1 :]
    data.write_bytes(content[:half] + rest)
    with pytest.raises(CheckpointError, match=r"checkpoint/ckpt-0: damaged, model/.* cannot be read"):
        restore(network, base, CLASSES)
