import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from studies.weights.torch_weights import read_torch_weights
from tasks.errors import CheckpointError
from tests.studies.weights.torch_file import Called, Global, Storage, pickled, tensor, torch_file


@pytest.fixture
def six() -> Storage:
    return Storage("FloatStorage", "11", np.arange(6, dtype="<f4"))


def test_names_shapes_and_numbers_are_read_as_they_were_written(tmp_path: Path, six: Storage) -> None:
    counter = Storage("LongStorage", "22", np.array([5], dtype="<i8"))
    state = OrderedDict(weight=tensor(six, (2, 3), (3, 1)), seen=tensor(counter, (), ()))

    weights = read_torch_weights(torch_file(tmp_path / "w.pth", state, [six, counter]))

    assert list(weights) == ["weight", "seen"]
    assert weights["weight"].dtype == np.float32
    np.testing.assert_array_equal(weights["weight"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(weights["seen"], 5)


def test_two_tensors_can_share_a_storage(tmp_path: Path, six: Storage) -> None:
    state = OrderedDict(all=tensor(six, (6,), (1,)), tail=tensor(six, (2,), (1,), offset=4))

    weights = read_torch_weights(torch_file(tmp_path / "w.pth", state, [six]))

    np.testing.assert_array_equal(weights["tail"], [4, 5])


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("torch", "DoubleStorage"), ("numpy", "load")],
)
def test_any_other_name_is_refused_and_not_called(tmp_path: Path, module: str, name: str) -> None:
    trace = tmp_path / "was here"
    path = torch_file(tmp_path / "w.pth", Called(Global(module, name), (f"touch '{trace}'",)), [])

    with pytest.raises(CheckpointError, match=f"{module}.{name}"):
        read_torch_weights(path)
    assert not trace.exists()


def test_opcodes_beyond_those_of_a_state_dict_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="pickle opcode FRAME"):
        read_torch_weights(_with_first_pickle(tmp_path, pickle.dumps("x", protocol=4)))


def test_a_memo_index_that_would_exhaust_the_memory_is_refused(tmp_path: Path) -> None:
    greedy = b"\x80\x02N" + pickle.LONG_BINPUT + struct.pack("<I", 2**32 - 1) + b"."

    with pytest.raises(CheckpointError, match="longer than a state dict's"):
        read_torch_weights(_with_first_pickle(tmp_path, greedy))


def test_a_pickle_cannot_change_the_objects_that_it_names(tmp_path: Path, six: Storage) -> None:
    harmful = pickle.PROTO + b"\x02" + b"ctorch._utils\n_rebuild_tensor_v2\n" + b"}X\x01\x00\x00\x00aK\x01sb."

    with pytest.raises(CheckpointError, match="legacy format"):
        read_torch_weights(_with_first_pickle(tmp_path, harmful))
    read_torch_weights(torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(six, (6,), (1,))), [six]))


def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path, six: Storage) -> None:
    path = torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(six, (4,), (1,), offset=3)), [six])

    with pytest.raises(CheckpointError, match="in a storage of 6 numbers"):
        read_torch_weights(path)


def test_strides_that_repeat_a_number_are_refused(tmp_path: Path, six: Storage) -> None:
    path = torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(six, (1000, 1000), (0, 0))), [six])

    with pytest.raises(CheckpointError, match="not stored in order"):
        read_torch_weights(path)


@pytest.mark.parametrize("shape", [(-1,), (True,), ("6",), (2**50,)], ids=["negative", "bool", "text", "huge"])
def test_shapes_that_are_not_counts_are_refused(tmp_path: Path, six: Storage, shape: tuple) -> None:
    path = torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(six, shape, (1,))), [six])

    with pytest.raises(CheckpointError, match=r"w\.pth"):
        read_torch_weights(path)


def test_a_storage_with_a_wrong_length_is_refused(tmp_path: Path) -> None:
    liar = Storage("FloatStorage", "11", np.zeros(3, dtype="<f4"), length=300)
    path = torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(liar, (300,), (1,))), [liar])

    with pytest.raises(CheckpointError, match="holds 3 numbers, not 300"):
        read_torch_weights(path)


def test_a_storage_view_is_refused(tmp_path: Path) -> None:
    view = Storage("FloatStorage", "11", np.zeros(3, dtype="<f4"), view=("12", 0, 3))
    path = torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(view, (3,), (1,))), [view])

    with pytest.raises(CheckpointError, match="storage of another kind"):
        read_torch_weights(path)


def test_a_file_cut_short_is_refused(tmp_path: Path, six: Storage) -> None:
    path = torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(six, (6,), (1,))), [six])
    whole = path.read_bytes()

    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"w\.pth"):
            read_torch_weights(path)


@pytest.mark.parametrize(
    "state",
    [5, OrderedDict(w=5), OrderedDict([(3, 4)]), {"a": []}],
    ids=["a number", "no tensor", "no name", "a plain dict"],
)
def test_anything_but_named_tensors_is_refused(tmp_path: Path, state: object) -> None:
    with pytest.raises(CheckpointError, match="names and tensors"):
        read_torch_weights(torch_file(tmp_path / "w.pth", state, []))


def test_a_file_of_another_format_is_named(tmp_path: Path, six: Storage) -> None:
    (tmp_path / "zip.pth").write_bytes(b"PK\x03\x04 and so on")
    other = torch_file(tmp_path / "other.pth", OrderedDict(), [], magic=7)
    big_endian = torch_file(tmp_path / "big.pth", OrderedDict(), [], platform={"little_endian": False})

    for path in (tmp_path / "zip.pth", other, big_endian):
        with pytest.raises(CheckpointError, match=path.name):
            read_torch_weights(path)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path, six: Storage) -> None:
    path = torch_file(tmp_path / "w.pth", OrderedDict(w=tensor(six, (6,), (1,))), [six])

    with pytest.raises(CheckpointError, match="more than the 100 allowed"):
        read_torch_weights(path, max_bytes=100)


def _with_first_pickle(folder: Path, content: bytes) -> Path:
    path = folder / "first.pth"
    path.write_bytes(content + pickled(1001, {"little_endian": True}, OrderedDict(), []))
    return path
