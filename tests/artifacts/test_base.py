import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts.base import ARRAYS, read_arrays, read_base_description
from tasks.errors import CheckpointError
from tests.artifacts.base_descriptions import base_description, describe_base


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    describe_base(tmp_path, "none", fallback="it does not fit")
    assert read_base_description(tmp_path) == base_description("none", fallback="it does not fit")


def test_only_a_fallback_has_its_key(tmp_path: Path) -> None:
    describe_base(tmp_path)
    assert set(json.loads((tmp_path / "base.json").read_text())) == {
        *("kind", "model", "source", "origin", "sha256", "licence")
    }


def test_a_missing_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"base\.json: no such file; run `dvc repro`"):
        read_base_description(tmp_path)


def test_an_array_that_is_said_to_be_larger_than_memory_is_a_sentence(tmp_path: Path) -> None:
    header = io.BytesIO()
    described = {"descr": "<f4", "fortran_order": False, "shape": (10**7, 10**7)}
    np.lib.format.write_array_header_1_0(header, described)
    with zipfile.ZipFile(tmp_path / ARRAYS, "w") as file:
        file.writestr("kernel.npy", header.getvalue())
    with pytest.raises(
        CheckpointError, match=r"weights\.npz: not a readable \.npz of weights: .*get the weights again"
    ):
        read_arrays(tmp_path)


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / ARRAYS, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name in ("a.npy", "b.npy", "c.npy"):
            with file.open(name, "w", force_zip64=True) as member:
                for _ in range(70):
                    member.write(bytes(10_000_000))
    assert (tmp_path / ARRAYS).stat().st_size < 10_000_000
    with pytest.raises(CheckpointError, match=r"2100000000 bytes once unpacked; at most 2000000000 are read"):
        read_arrays(tmp_path)


def test_a_member_that_is_no_array_is_refused_and_not_unpickled(tmp_path: Path) -> None:
    for content in (b"read me", pickle.dumps({"a": 1})):
        np.savez(tmp_path / ARRAYS, kernel=np.zeros(3, np.float32))
        with zipfile.ZipFile(tmp_path / ARRAYS, "a") as file:
            file.writestr("README.txt", content)
        with pytest.raises(CheckpointError, match=r"weights\.npz: 'README\.txt' holds a file, not weights"):
            read_arrays(tmp_path)


def test_a_damaged_member_of_any_compression_is_refused(tmp_path: Path) -> None:
    array = io.BytesIO()
    np.save(array, np.arange(9000, dtype=np.float32))
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(tmp_path / ARRAYS, "w", compression) as file:
            file.writestr("kernel.npy", array.getvalue())
        content = bytearray((tmp_path / ARRAYS).read_bytes())
        for place in range(60, len(content) // 2, 97):
            content[place] ^= 0xFF
        (tmp_path / ARRAYS).write_bytes(content)
        with pytest.raises(CheckpointError, match=r"weights\.npz: not a readable \.npz of weights"):
            read_arrays(tmp_path)
