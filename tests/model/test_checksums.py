"""SHA256SUMS of an exported model."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from tasks.errors import CheckpointError
from tasks.model.checksums import check_checksums, model_checksum, write_checksums


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for name in ("saved_model/saved_model.pb", "saved_model/variables/variables.index", "model.tflite", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    write_checksums(tmp_path)
    return tmp_path


def test_an_unchanged_model_passes_here_and_in_sha256sum(export: Path) -> None:
    check_checksums(export, "saved_model", "model.tflite")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=export, check=True)
    assert len((export / "SHA256SUMS").read_text().splitlines()) == 4


def test_a_folder_without_a_list_passes(export: Path) -> None:
    (export / "SHA256SUMS").unlink()
    check_checksums(export, "saved_model")


@pytest.mark.parametrize(
    "name", ["saved_model/saved_model.pb", "saved_model/variables/variables.index", "model.tflite"]
)
def test_a_flipped_byte_is_named_with_the_remedy(export: Path, name: str) -> None:
    content = bytearray((export / name).read_bytes())
    content[3] ^= 1
    (export / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name}: damaged or changed.*cache --verify.*dvc repro -f -s export"):
        check_checksums(export, "saved_model", "model.tflite")


def test_a_missing_file_and_one_too_many_are_named(export: Path) -> None:
    (export / "saved_model/assets").mkdir()
    (export / "saved_model/assets/more").write_text("x")
    with pytest.raises(CheckpointError, match=r"assets/more: not in .*SHA256SUMS"):
        check_checksums(export, "saved_model")
    (export / "saved_model/assets/more").unlink()
    (export / "saved_model/saved_model.pb").unlink()
    with pytest.raises(CheckpointError, match=r"saved_model\.pb: missing"):
        check_checksums(export, "saved_model")


def test_other_files_may_change(export: Path) -> None:
    (export / "notes.txt").write_text("mine")
    (export / "README.md").write_text("the card")
    check_checksums(export, "saved_model", "model.tflite")


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\xff\xfe"], ids=["empty", "other lines", "no text"])
def test_what_is_no_list_is_refused(export: Path, content: bytes) -> None:
    (export / "SHA256SUMS").write_bytes(content)
    with pytest.raises(CheckpointError, match="not a list of checksums"):
        check_checksums(export, "model.tflite")


def test_a_model_is_told_from_another_with_and_without_its_list(export: Path) -> None:
    with_list = model_checksum(export)
    (export / "SHA256SUMS").unlink()
    assert model_checksum(export) == with_list
    (export / "model.tflite").write_bytes(b"another")
    assert model_checksum(export) != with_list
    assert model_checksum(export / "model.tflite") == hashlib.sha256(b"another").hexdigest()
