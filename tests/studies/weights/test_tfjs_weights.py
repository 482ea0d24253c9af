import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies.weights.tfjs_weights import read_tfjs_weights
from tasks.errors import CheckpointError
from tests.studies.weights.tfjs_files import described, tfjs_files

EIGHT_BITS = {"scale": 0.5, "min": -1.0, "dtype": "uint8"}


def manifest_of(folder: Path, *groups: dict[str, Any], **files: bytes) -> Path:
    for name, content in files.items():
        (folder / f"{name}.bin").write_bytes(content)
    path = folder / "manifest.json"
    path.write_text(json.dumps(groups))
    return path


def one(folder: Path, content: bytes, **changes: Any) -> Path:
    """A manifest of one float32 pair in the file a.bin, but for `changes`."""
    entry = described("pair", np.zeros(2, np.float32), **changes)
    return manifest_of(folder, {"paths": ["a.bin"], "weights": [entry]}, a=content)


def test_numbers_are_read_in_the_manifests_order_from_all_files_of_a_group(tmp_path: Path) -> None:
    table, sixteen = np.arange(6, dtype="<f4").reshape(2, 3), np.array([0, 65535], "<u2")
    content = table.tobytes() + np.array([7], "<i4").tobytes() + sixteen.tobytes()
    entries = [
        described("table", table),
        described("count", np.array(7, np.int32)),
        described("pair", np.zeros(2, np.float32), quantization={"scale": 2.0, "min": 1, "dtype": "uint16"}),
    ]
    more = {"paths": ["c.bin"], "weights": [described("more", np.zeros(1, np.float32), quantization=EIGHT_BITS)]}
    path = manifest_of(
        tmp_path, {"paths": ["a.bin", "b.bin"], "weights": entries}, more, a=content[:10], b=content[10:], c=b"\x04"
    )

    weights = read_tfjs_weights(path)

    # The count is of a graph, not of a layer.
    assert list(weights) == ["table", "pair", "more"]
    assert all(values.dtype == np.float32 for values in weights.values())
    np.testing.assert_array_equal(weights["table"], table)
    np.testing.assert_array_equal(weights["pair"], [1, 131071])
    np.testing.assert_array_equal(weights["more"], [1])


def test_eight_bit_numbers_are_within_half_a_step(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    found = read_tfjs_weights(tfjs_files(tmp_path / "m.json", {"x": values}, numbers="m.bin"))["x"]
    assert np.abs(found - values).max() <= (values.max() - values.min()) / 510 * 1.001


@pytest.mark.parametrize("name", ["../a.bin", "/etc/passwd", "b/a.bin", "b\\a.bin", "..", "", "a\0.bin"])
def test_a_file_outside_the_manifests_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "a.bin").write_bytes(bytes(8))
    path = manifest_of(tmp_path / "model", {"paths": [name], "weights": [described("x", np.zeros(2, np.float32))]})
    with pytest.raises(CheckpointError, match="not the name of a file beside it"):
        read_tfjs_weights(path)


@pytest.mark.parametrize(
    ("length", "complaint"),
    [(7, "promises 8 bytes, its files have 7"), (9, "a.bin: longer than manifest.json promises")],
)
def test_a_file_of_another_length_than_promised_is_refused(tmp_path: Path, length: int, complaint: str) -> None:
    with pytest.raises(CheckpointError, match=complaint):
        read_tfjs_weights(one(tmp_path, bytes(length)))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"shape": [2**40]}, "more than the 536870912 allowed"),
        ({"shape": [-2, -1]}, r"'pair' has the shape \[-2, -1\]"),
        ({"shape": [1.5]}, "not a TensorFlow.js weights manifest: Input should be a valid integer"),
        ({"dtype": "complex64"}, "String should match pattern"),
        ({"quantization": {**EIGHT_BITS, "scale": float("nan")}}, "finite number"),
        ({"quantization": {**EIGHT_BITS, "dtype": "uint64"}}, "String should match pattern"),
    ],
)
def test_invalid_entries_are_refused(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CheckpointError, match=complaint):
        read_tfjs_weights(one(tmp_path, bytes(8), **changes))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff\xfe", "not a TensorFlow.js weights manifest"),
        (b"{}", "Input should be a valid list"),
        (b"[" * 200_000, "not a TensorFlow.js weights manifest"),
        (b" " * (4 * 1024**2 + 1), "no manifest is that large"),
    ],
    ids=["not text", "no list", "nested", "large"],
)
def test_files_that_are_not_a_manifest_are_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "m.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=complaint):
        read_tfjs_weights(tmp_path / "m.json")


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="'pair' has a number that is not finite"):
        read_tfjs_weights(one(tmp_path, np.array([1, np.inf], "<f4").tobytes()))
    with pytest.raises(CheckpointError, match="'pair' has a number that is not finite"):
        read_tfjs_weights(one(tmp_path, b"\xff\xff", quantization={**EIGHT_BITS, "scale": 1e38}))


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"m\.json: cannot be read \(No such file"):
        read_tfjs_weights(tmp_path / "m.json")
    path = one(tmp_path, bytes(8))
    (tmp_path / "a.bin").unlink()
    with pytest.raises(CheckpointError, match=r"a\.bin: cannot be read \(No such file"):
        read_tfjs_weights(path)
