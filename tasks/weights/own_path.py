"""Weights from a path that the user names: a folder, an archive, or the prefix of a checkpoint."""

import difflib
import hashlib
import shutil
from pathlib import Path, PurePosixPath

from tasks.artifacts.base import ARRAYS, CHECKPOINT, DESCRIPTION, LABEL_MAP, SAVED_MODEL, BaseDescription, BaseKind
from tasks.errors import CheckpointError
from tasks.ground.files import sha256_of
from tasks.weights.archive import extract
from tasks.weights.earlier_base import take_earlier_base
from tasks.weights.request import WeightsRequest
from tasks.weights.tf_checkpoint import copy_checkpoint, find_checkpoint, find_saved_model, is_checkpoint_file

# Copied where the source has them: training keeps a class head only if it was made for the same label map.
COMPANIONS = ("pipeline.config", LABEL_MAP.name)
_NAMED_SOURCES = ("base", "zoo", "imagenet", "none")


def take_from_path(request: WeightsRequest, into: Path) -> BaseDescription:
    """Copy the weights at the path `request.source` into the folder `into`; describe them.

    Raises:
        CheckpointError: there are none, or they are damaged.
    """
    source = Path(request.source)
    if source.is_dir():
        return _take_from_folder(source, request, into, shown_as=source)
    if source.is_file() and source.name.endswith((".tar.gz", ".tgz")):
        return take_from_archive(source, request, into).model_copy(update={"sha256": sha256_of(source)})
    index = f"{source.name}.index"
    if is_checkpoint_file(index) and source.with_name(index).is_file():
        return _take_checkpoint(source, source, request, into, is_saved_model=source.name == SAVED_MODEL.name)
    near = difflib.get_close_matches(str(source), _NAMED_SOURCES, n=1)
    raise CheckpointError(
        f"checkpoint.source: {source} is neither a folder, a .tar.gz nor a checkpoint's prefix"
        f"{f'; did you mean {near[0]}?' if near else '.'} It may be {', '.join(_NAMED_SOURCES)} or such a path"
    )


def take_from_archive(archive: Path, request: WeightsRequest, into: Path) -> BaseDescription:
    """Unpack the weights of a .tar.gz into the folder `into`; describe them.

    Raises:
        CheckpointError: there are none, or they are damaged.
    """
    unpacked = into / "unpacked"
    unpacked.mkdir()
    extract(archive, unpacked, _is_wanted)
    entries = list(unpacked.iterdir())
    has_one_folder = len(entries) == 1 and entries[0].is_dir() and entries[0].name != CHECKPOINT.parent.name
    folder = entries[0] if has_one_folder else unpacked
    description = _take_from_folder(folder, request, into, shown_as=archive)
    shutil.rmtree(unpacked)
    return description


def _is_wanted(path: PurePosixPath) -> bool:
    names = {DESCRIPTION.name, ARRAYS.name, "saved_model.pb", *COMPANIONS}
    return path.name in names or is_checkpoint_file(path.name)


def _take_from_folder(folder: Path, request: WeightsRequest, into: Path, *, shown_as: Path) -> BaseDescription:
    """Copy what `folder` holds; messages and the origin name it `shown_as`, for an archive was unpacked elsewhere."""
    for name in COMPANIONS:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, into / name)
    if (folder / DESCRIPTION).is_file():
        return take_earlier_base(folder, request, into, shown_as=shown_as)
    try:
        return _take_files(folder, request, into, shown_as=shown_as)
    except CheckpointError as error:
        raise CheckpointError(str(error).replace(folder.as_posix(), shown_as.as_posix())) from error


def _take_files(folder: Path, request: WeightsRequest, into: Path, *, shown_as: Path) -> BaseDescription:
    checkpoint = find_checkpoint(folder)
    if prefix := checkpoint or find_saved_model(folder):
        origin = shown_as / prefix.relative_to(folder)
        return _take_checkpoint(prefix, origin, request, into, is_saved_model=checkpoint is None)
    raise CheckpointError(
        f"checkpoint.source: no weights in {folder}; looked for {DESCRIPTION}, best/ckpt-*.index, "
        "checkpoint/ckpt-*.index, ckpt-*.index, one */ckpt-*.index, saved_model.pb and saved_model/saved_model.pb"
    )


def _take_checkpoint(
    prefix: Path, origin: Path, request: WeightsRequest, into: Path, *, is_saved_model: bool
) -> BaseDescription:
    digest = hashlib.sha256()
    for path in copy_checkpoint(prefix, into / (SAVED_MODEL if is_saved_model else CHECKPOINT)):
        digest.update(bytes.fromhex(sha256_of(path)))
    kind: BaseKind = "saved_model" if is_saved_model else "tf_checkpoint"
    return request.description(kind, origin.as_posix(), sha256=digest.hexdigest())
