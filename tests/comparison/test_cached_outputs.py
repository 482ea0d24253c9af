"""Results of a commit that are copied straight from DVC's cache."""

import hashlib
import json
from pathlib import Path, PurePosixPath

import pytest

from tasks.comparison.cached_outputs import copy_from_cache

SPLITS = PurePosixPath("data/splits")


def store(root: Path, content: bytes, suffix: str = "") -> str:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
    file = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return md5


def lock_of(path: str, md5: str) -> object:
    return {"stages": {"sample": {}, "split": {"outs": [{"path": path, "md5": md5}]}}}


def folder_lock(root: Path, **files: bytes) -> object:
    listed = [{"relpath": name, "md5": store(root, content)} for name, content in files.items()]
    return lock_of("data/splits", store(root, json.dumps(listed).encode(), ".dir"))


def test_a_file_and_a_folder_are_copied(tmp_path: Path) -> None:
    lock = lock_of("data/one.json", store(tmp_path, b"{}"))
    assert copy_from_cache(tmp_path, lock, PurePosixPath("data/one.json"), tmp_path / "one.json")
    assert (tmp_path / "one.json").read_bytes() == b"{}"
    lock = folder_lock(tmp_path, **{"train.json": b"1", "deep/test.json": b"2"})
    assert copy_from_cache(tmp_path, lock, SPLITS, tmp_path / "splits")
    assert (tmp_path / "splits/train.json").read_bytes() == b"1"
    assert (tmp_path / "splits/deep/test.json").read_bytes() == b"2"


@pytest.mark.parametrize("fault", ["damaged", "missing", "outside", "other path", "no lock", "no md5"])
def test_nothing_is_copied_where_it_is_not_all_there(tmp_path: Path, fault: str) -> None:
    lock = folder_lock(tmp_path, **{"../outside.json" if fault == "outside" else "train.json": b"1", "test.json": b"2"})
    stored = tmp_path / ".dvc/cache/files/md5/c4/ca4238a0b923820dcc509a6f75849b"
    if fault == "damaged":
        stored.write_bytes(b"3")
    if fault == "missing":
        stored.unlink()
    if fault == "no lock":
        lock = {}
    if fault == "no md5":
        lock = {"stages": {"split": {"outs": [{"path": "data/splits"}, "data/splits"]}, "other": {"outs": 3}}}
    path = PurePosixPath("data/other") if fault == "other path" else SPLITS
    assert not copy_from_cache(tmp_path, lock, path, tmp_path / "copies/splits")
    assert not (tmp_path / "copies").exists()
