"""Stage `checkpoint`: the weights that training starts from, in one folder with one description, whatever their source.

`base.json` says what they are. `kind` is `tf_checkpoint` (a detector: `checkpoint/ckpt-0.*`), `saved_model` (a
detector's variables: `variables/variables.*`), `weights` (arrays: `weights.npz`, named `<keras layer>/<weight>` or by
checkpoint key) or `none`. `fallback`, where it is there, says why they are not what `checkpoint.source` named.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.errors import CheckpointError, UnreachableError
from tasks.ground.files import remove_leftovers, replacing, sha256_of, write_json
from tasks.model.definitions import ModelDefinition, closest_model, find_model
from tasks.weights.download import download
from tasks.weights.imagenet import FILE, PACKAGE, read_imagenet_weights, weights_file
from tasks.weights.own_files import DESCRIPTION, WEIGHTS, take_from_archive, take_from_path
from tasks.weights.shipped_base import NAME, read_shipped_base, suits

if TYPE_CHECKING:
    from tasks.params import CheckpointParams, ModelParams


_RANDOM = {"kind": "none", "origin": "random numbers", "sha256": None, "licence": None}


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
            description = take_from_path(Path(params.source), beside)
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
        take_from_archive(archive, into)
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
