from pathlib import Path

import numpy as np
import pytest

from tasks.errors import CheckpointError
from tasks.weights.packed_weights import read_packed, write_packed

KERNEL = np.random.default_rng(1).normal(0, 0.1, (3, 3, 8, 4)).astype(np.float32)


def test_arrays_are_read_as_float32_with_eleven_bits(tmp_path: Path) -> None:
    assert write_packed({"model/b/kernel": KERNEL, "model/a/beta": np.zeros(0)}, tmp_path / "w.npz") == []
    arrays = read_packed(tmp_path / "w.npz")
    assert list(arrays) == ["model/a/beta", "model/b/kernel"]
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(arrays["model/b/kernel"], KERNEL, rtol=2**-11, atol=6e-8)
    assert (tmp_path / "w.npz").stat().st_size < KERNEL.nbytes


def test_equal_arrays_are_equal_bytes_whatever_their_order_and_the_time(tmp_path: Path, monkeypatch) -> None:
    write_packed({"a": KERNEL, "b": KERNEL[0]}, tmp_path / "first.npz")
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_packed({"b": KERNEL[0], "a": KERNEL}, tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bn/moving_variance", [1.0, 3e-7]),
        ("bn/moving_variance", [1e6, 1.0]),
        ("bn/gamma", [1.0, -2e-5]),
        ("conv/kernel", [70_000.0, 1.0]),
    ],
    ids=["tiny variance", "huge variance", "tiny scale", "huge kernel"],
)
def test_an_array_that_float16_cannot_hold_stays_float32(name: str, values: list[float], tmp_path: Path) -> None:
    array = np.array(values, dtype=np.float32)
    assert write_packed({name: array, "other": KERNEL}, tmp_path / "w.npz") == [name]
    assert read_packed(tmp_path / "w.npz")[name].tolist() == array.tolist()


def test_zeros_and_tiny_kernel_values_do_not_keep_an_array_in_float32(tmp_path: Path) -> None:
    arrays = {"bn/moving_variance": np.array([0.0, 1.0]), "conv/kernel": np.array([1e-9, 1.0])}
    assert write_packed(arrays, tmp_path / "w.npz") == []


def test_a_value_that_is_not_finite_is_refused_and_no_file_is_left(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="bn/gamma: a value is not finite"):
        write_packed({"bn/gamma": np.array([np.nan])}, tmp_path / "w.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken"])
def test_a_file_of_another_format_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"w\.npz: not a readable"):
        read_packed(tmp_path / "w.npz")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_packed({"a": KERNEL}, tmp_path / "w.npz")
    content = bytearray((tmp_path / "w.npz").read_bytes())
    content[200:260] = bytes(60)
    (tmp_path / "w.npz").write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match=r"w\.npz"):
        read_packed(tmp_path / "w.npz")
