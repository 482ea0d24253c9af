"""Stage `checkpoint`: the weights that training starts from, in one folder with one description, whatever their source.

`base.json` says what they are. `kind` is `tf_checkpoint` (a detector: `checkpoint/ckpt-0.*`), `saved_model` (a
detector's variables: `variables/variables.*`), `weights` (arrays: `weights.npz`, named `<keras layer>/<weight>` or by
checkpoint key) or `none`. `fallback`, where it is there, says why they are not what `checkpoint.source` named.
"""

import difflib
import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.model.definitions import ModelDefinition, closest_model, find_model
from tasks.errors import CheckpointError, UnreachableError
from tasks.ground.files import remove_leftovers, replacing, sha256_of, write_json
from tasks.weights.archive import extract
from tasks.weights.download import download
from tasks.weights.tf_checkpoint import copy_checkpoint, find_checkpoint, find_saved_model, is_checkpoint_file
from tasks.weights.imagenet import FILE, PACKAGE, read_imagenet_weights, weights_file
from tasks.weights.mobilenet_v1 import MANIFEST, NUMBERS, find_face_detector, read_mobilenet_v1
from tasks.weights.shipped_base import NAME, read_shipped_base, suits

if TYPE_CHECKING:
    from tasks.params import CheckpointParams, ModelParams

DESCRIPTION = "base.json"
WEIGHTS = "weights.npz"
PREFIX = Path("checkpoint/ckpt-0")
SAVED_MODEL = Path("variables/variables")
# Taken along where the source has them: training keeps a class head only if it was made for the same label map.
COMPANIONS = ("pipeline.config", "label_map.pbtxt")

_SOURCES = ("base", "zoo", "imagenet", "none")
_RANDOM = {"kind": "none", "origin": "random numbers", "sha256": None, "licence": None}
_PREFIXES = {"tf_checkpoint": PREFIX, "saved_model": SAVED_MODEL}
_KINDS = {
    **{kind: prefix.with_suffix(".index") for kind, prefix in _PREFIXES.items()},
    "weights": Path(WEIGHTS),
    "none": Path(DESCRIPTION),
}


def checkpoint(params: "CheckpointParams", model: "ModelParams", *, base: Path) -> dict[str, Any]:
    """Write the folder `base`: the weights that `checkpoint.source` means, and `base.json`.

    Raises:
        CheckpointError: they cannot be fetched, do not suit the model, or are not what they should be.
        UnreachableError: the server of the zoo did not answer.
        ConfigError: there is no such model.
    """
    found = find_model(model.name)
    definition = closest_model(found) if isinstance(found, Path) else found
    remove_leftovers(base)
    with replacing(base) as beside:
        beside.mkdir()
        if params.source == "zoo":
            description = _from_zoo(params, model.name, definition, beside, downloads=base.parent / ".downloads")
        elif params.source == "imagenet":
            description = _from_imagenet(model.name, definition, beside)
        elif params.source == "none":
            description = dict(_RANDOM)
        elif params.source == "base":
            description = _from_shipped_base(model.name, definition, beside)
        else:
            description = _from_path(Path(params.source), beside)
        description = {"model": model.name, **description, "source": params.source}
        write_json(beside / DESCRIPTION, description)
    size = sum(path.stat().st_size for path in base.rglob("*") if path.is_file())
    told = {"fallback": description["fallback"]} if "fallback" in description else {}
    return {"kind": description["kind"], "origin": description["origin"], "size": f"{size / 1e6:.1f} MB", **told}


def _from_zoo(
    params: "CheckpointParams", model: str, definition: ModelDefinition | None, into: Path, *, downloads: Path
) -> dict[str, Any]:
    if definition is None:
        raise CheckpointError(
            f"checkpoint.source zoo: no archive of the zoo is known for {model}; fetch one yourself and set "
            "checkpoint.source to its path, or to none"
        )
    name = f"{definition.zoo_archive}.tar.gz"
    url = f"{params.zoo_url.rstrip('/')}/{name}"
    archive = downloads / name
    try:
        sha256 = download(url, archive, sha256=params.sha256)
    except (CheckpointError, UnreachableError) as error:
        others = "imagenet, none" if definition.backbone == "mobilenet_v2" else "none"
        raise type(error)(
            f"{error}\n  checkpoint.source may also be {others}, or the path of an archive or folder got elsewhere"
        ) from error
    try:
        _from_archive(archive, into)
    finally:
        archive.unlink(missing_ok=True)
    return {
        "kind": "tf_checkpoint",
        "origin": url,
        "sha256": sha256,
        "licence": "Apache-2.0 (TensorFlow 2 Detection Model Zoo)",
    }


def _from_imagenet(model: str, definition: ModelDefinition | None, into: Path) -> dict[str, Any]:
    if definition is None or definition.backbone != "mobilenet_v2":
        raise CheckpointError(
            f"checkpoint.source imagenet: there are ImageNet weights for MobileNetV2 only, and {model} has another "
            "backbone; set checkpoint.source to zoo, to the path of a checkpoint, or to none"
        )
    path = weights_file()
    arrays: dict[str, Any] = dict(read_imagenet_weights(path))
    np.savez(into / WEIGHTS, **arrays)
    return {
        "kind": "weights",
        "origin": f"ImageNet classification: torchvision's {FILE}, from the package {PACKAGE}",
        "sha256": sha256_of(path),
        "licence": "BSD-3-Clause (torchvision)",
    }


def _from_shipped_base(model: str, definition: ModelDefinition | None, into: Path) -> dict[str, Any]:
    """Our own base, or the nearest thing to it for a model that it does not fit."""
    if suits(definition):
        base = read_shipped_base()
        arrays: dict[str, Any] = dict(base.arrays)
        np.savez(into / WEIGHTS, **arrays)
        return {"kind": "weights", "origin": base.origin, "sha256": base.sha256, "licence": base.licence}
    if definition is not None and definition.backbone == "mobilenet_v2":
        description, instead = _from_imagenet(model, definition, into), "the backbone starts from ImageNet weights"
    else:
        description, instead = (
            dict(_RANDOM),
            "training starts from random numbers; zoo is better where it can be reached",
        )
    why = f"the base is for {NAME} and does not fit {model}: {instead}"
    print(f"checkpoint: {why}")
    return {**description, "fallback": why}


def _from_path(source: Path, into: Path) -> dict[str, Any]:
    if source.is_dir():
        return _from_folder(source, into, called=source)
    if source.is_file() and source.name.endswith((".tar.gz", ".tgz")):
        return {**_from_archive(source, into), "sha256": sha256_of(source)}
    index = f"{source.name}.index"
    if is_checkpoint_file(index) and source.with_name(index).is_file():
        return _from_prefix(source, into, "saved_model" if source.name == SAVED_MODEL.name else "tf_checkpoint")
    near = difflib.get_close_matches(str(source), _SOURCES, n=1)
    raise CheckpointError(
        f"checkpoint.source: {source} is neither a folder, a .tar.gz nor a checkpoint's prefix"
        f"{f'; did you mean {near[0]}?' if near else ''}. It may be {', '.join(_SOURCES)} or such a path"
    )


def _from_archive(archive: Path, into: Path) -> dict[str, Any]:
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
