"""Weights from a path that the user names: a folder, an archive, a checkpoint, or an earlier result of the stage."""

import difflib
import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.errors import CheckpointError
from tasks.ground.files import sha256_of
from tasks.weights.archive import extract
from tasks.weights.mobilenet_v1 import MANIFEST, NUMBERS, find_face_detector, read_mobilenet_v1
from tasks.weights.tf_checkpoint import copy_checkpoint, find_checkpoint, find_saved_model, is_checkpoint_file

if TYPE_CHECKING:
    pass

DESCRIPTION = "base.json"


WEIGHTS = "weights.npz"


PREFIX = Path("checkpoint/ckpt-0")


SAVED_MODEL = Path("variables/variables")


# Taken along where the source has them: training keeps a class head only if it was made for the same label map.
COMPANIONS = ("pipeline.config", "label_map.pbtxt")


_SOURCES = ("base", "zoo", "imagenet", "none")


_PREFIXES = {"tf_checkpoint": PREFIX, "saved_model": SAVED_MODEL}


_KINDS = {
    **{kind: prefix.with_suffix(".index") for kind, prefix in _PREFIXES.items()},
    "weights": Path(WEIGHTS),
    "none": Path(DESCRIPTION),
}


def take_from_path(source: Path, into: Path) -> dict[str, Any]:
    """Copy the weights at `source` into the folder `into`; return what base.json says of them.

    Raises:
        CheckpointError: there are none, or they are damaged.
    """
    if source.is_dir():
        return _from_folder(source, into, called=source)
    if source.is_file() and source.name.endswith((".tar.gz", ".tgz")):
        return {**take_from_archive(source, into), "sha256": sha256_of(source)}
    index = f"{source.name}.index"
    if is_checkpoint_file(index) and source.with_name(index).is_file():
        return _from_prefix(source, into, "saved_model" if source.name == SAVED_MODEL.name else "tf_checkpoint")
    near = difflib.get_close_matches(str(source), _SOURCES, n=1)
    raise CheckpointError(
        f"checkpoint.source: {source} is neither a folder, a .tar.gz nor a checkpoint's prefix"
        f"{f'; did you mean {near[0]}?' if near else ''}. It may be {', '.join(_SOURCES)} or such a path"
    )


def take_from_archive(archive: Path, into: Path) -> dict[str, Any]:
    """Unpack the weights of a .tar.gz into the folder `into`; return what base.json says of them.

    Raises:
        CheckpointError: there are none, or they are damaged.
    """
    unpacked = into / "unpacked"
    unpacked.mkdir()
    extract(archive, unpacked, _is_ours)
    entries = list(unpacked.iterdir())
    root = entries[0] if len(entries) == 1 and entries[0].is_dir() and entries[0].name != "checkpoint" else unpacked
    description = _from_folder(root, into, called=archive)
    shutil.rmtree(unpacked)
    return description


def _is_ours(path: PurePosixPath) -> bool:
    named = {DESCRIPTION, WEIGHTS, "saved_model.pb", MANIFEST, NUMBERS, *COMPANIONS}
    return path.name in named or is_checkpoint_file(path.name)


def _from_folder(folder: Path, into: Path, *, called: Path) -> dict[str, Any]:
    """Take what `folder` holds; `called` is what the user named."""
    for name in COMPANIONS:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, into / name)
    if (folder / DESCRIPTION).is_file():
        return _from_base(folder, into, called=called)
    prefix, kind = find_checkpoint(folder), "tf_checkpoint"
    if prefix is None:
        prefix, kind = find_saved_model(folder), "saved_model"
    if prefix is None:
        manifest = find_face_detector(folder)
        if manifest is not None:
            return _from_face_detector(manifest, into, folder, called=called)
        raise CheckpointError(
            f"checkpoint.source: no weights in {called}; looked for {DESCRIPTION}, best/ckpt-*.index, "
            "checkpoint/ckpt-*.index, ckpt-*.index, saved_model.pb, saved_model/saved_model.pb and "
            f"face-api's model/{MANIFEST}"
        )
    origin = (called / prefix.relative_to(folder)).as_posix()
    try:
        return {**_from_prefix(prefix, into, kind), "origin": origin}
    except CheckpointError as error:
        # An archive was unpacked where nobody looks.
        raise CheckpointError(str(error).replace(folder.as_posix(), called.as_posix())) from error


def _from_face_detector(manifest: Path, into: Path, folder: Path, *, called: Path) -> dict[str, Any]:
    origin = (called / manifest.relative_to(folder)).as_posix()
    try:
        arrays: dict[str, Any] = dict(read_mobilenet_v1(manifest))
    except CheckpointError as error:
        raise CheckpointError(str(error).replace(folder.as_posix(), called.as_posix())) from error
    np.savez(into / WEIGHTS, **arrays)
    return {
        "kind": "weights",
        "origin": f"backbone of face-api's face detector: {origin}",
        "sha256": sha256_of(manifest.with_name(NUMBERS)),
        "licence": "MIT (face-api)",
    }


def _from_prefix(prefix: Path, into: Path, kind: str) -> dict[str, Any]:
    digest = hashlib.sha256()
    for path in copy_checkpoint(prefix, into / _PREFIXES[kind]):
        digest.update(bytes.fromhex(sha256_of(path)))
    return {"kind": kind, "origin": prefix.as_posix(), "sha256": digest.hexdigest(), "licence": None}


def _from_base(folder: Path, into: Path, *, called: Path) -> dict[str, Any]:
    """What an earlier run of this stage wrote, its description included."""
    where = f"{called} ({DESCRIPTION})"
    try:
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        description = {key: content[key] for key in ("kind", "model", "origin", "sha256", "licence")}
        description |= {key: content[key] for key in ("fallback",) if key in content}
        promised = folder / _KINDS[description["kind"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{where}: not what the checkpoint stage writes: {error!r:.80}") from error
    if not promised.is_file() or promised.stat().st_size == 0:
        raise CheckpointError(f"{where}: promises {promised.relative_to(folder)}, which is missing or empty")
    if description["kind"] in _PREFIXES:
        prefix = _PREFIXES[description["kind"]]
        copy_checkpoint(folder / prefix, into / prefix)
    elif description["kind"] == "weights":
        shutil.copyfile(promised, into / WEIGHTS)
    return description
