"""The files of TensorFlow checkpoints, `PREFIX.index` and `PREFIX.data-NNNNN-of-MMMMM`: found, checked, copied."""

import re
import shutil
from pathlib import Path

from tasks.errors import CheckpointError

_INDEX = re.compile(r"ckpt-(\d+)\.index")
_FILE = re.compile(r"(ckpt-\d+|variables)\.(index|data-\d{5}-of-\d{5})")


def is_checkpoint_file(name: str) -> bool:
    """Whether a file of this name belongs to a checkpoint of the OD API, or to the variables of a SavedModel."""
    return _FILE.fullmatch(name) is not None


def find_checkpoint(folder: Path) -> Path | None:
    """The prefix of the newest checkpoint in `folder`/best, else in `folder`/checkpoint, else in `folder`.

    Our training writes `best/`, the zoo's archives have `checkpoint/`; those for phones have other folders, too, of
    which the only one with a checkpoint is taken. None where there is no checkpoint, or there are several such folders.
    """
    others: list[Path] = sorted({path.parent for path in folder.glob("*/ckpt-*.index")})
    places = [folder / "best", folder / "checkpoint", folder, *(others if len(others) == 1 else [])]
    for place in places:
        numbers = [int(match[1]) for path in place.glob("ckpt-*.index") if (match := _INDEX.fullmatch(path.name))]
        if numbers:
            return place / f"ckpt-{max(numbers)}"
    return None


def find_saved_model(folder: Path) -> Path | None:
    """The prefix of the variables of the SavedModel in `folder`, or in its `saved_model/`; None if missing."""
    for place in (folder, folder / "saved_model"):
        prefix = place / "variables" / "variables"
        if (place / "saved_model.pb").is_file() or prefix.with_suffix(".index").is_file():
            return prefix
    return None


def checkpoint_files(prefix: Path) -> list[Path]:
    """The files of the checkpoint `prefix`, the index first.

    Raises:
        CheckpointError: one is missing or empty.
    """
    shards = sorted(prefix.parent.glob(f"{prefix.name}.data-*-of-*"))
    count = int(shards[0].name[-5:]) if shards and is_checkpoint_file(shards[0].name) else 1
    files = [prefix.with_name(f"{prefix.name}.index")]
    files += [prefix.with_name(f"{prefix.name}.data-{i:05}-of-{count:05}") for i in range(count)]
    for path in files:
        if not path.is_file() or path.stat().st_size == 0:
            raise CheckpointError(f"{path}: missing or empty, so the checkpoint {prefix} is not complete; get it again")
    return files


def copy_checkpoint(prefix: Path, to: Path) -> list[Path]:
    """Copy all files of a checkpoint under another prefix; return the new files.

    Raises:
        CheckpointError: a file of it is missing or empty.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in checkpoint_files(prefix):
        copies.append(to.with_name(to.name + path.name.removeprefix(prefix.name)))
        shutil.copyfile(path, copies[-1])
    return copies
