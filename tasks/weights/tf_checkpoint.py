"""TensorFlow checkpoints as files, `PREFIX.index` and `PREFIX.data-NNNNN-of-MMMMM`: found, checked, copied."""

import re
import shutil
from pathlib import Path

from tasks.errors import CheckpointError

_INDEX = re.compile(r"ckpt-(\d+)\.index")
_FILE = re.compile(r"(ckpt-\d+|variables)\.(index|data-\d{5}-of-\d{5})")


def is_checkpoint_file(name: str) -> bool:
    """Whether a file of this name is part of a checkpoint of the OD API's, or of a SavedModel's."""
    return _FILE.fullmatch(name) is not None


def find_checkpoint(folder: Path) -> Path | None:
    """The prefix of the checkpoint in `folder`: in `best/`, else in `checkpoint/`, else in itself; the newest there.

    `best/` is where our training keeps its result, `checkpoint/` is the zoo's layout. None where there is none.
    """
    for place in (folder / "best", folder / "checkpoint", folder):
        numbers = [int(found[1]) for path in place.glob("ckpt-*.index") if (found := _INDEX.fullmatch(path.name))]
        if numbers:
            return place / f"ckpt-{max(numbers)}"
    return None


def find_saved_model(folder: Path) -> Path | None:
    """The prefix of the variables of the SavedModel in `folder`, or in its `saved_model/`; None where there is none."""
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
            raise CheckpointError(f"{path}: missing or empty, so {prefix} is no whole checkpoint; get it again")
    return files


def copy_checkpoint(prefix: Path, to: Path) -> list[Path]:
    """Copy a whole checkpoint under another prefix; the new files.

    Raises:
        CheckpointError: a file of it is missing or empty.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in checkpoint_files(prefix):
        copies.append(to.with_name(to.name + path.name.removeprefix(prefix.name)))
        shutil.copyfile(path, copies[-1])
    return copies
