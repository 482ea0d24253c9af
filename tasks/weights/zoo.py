"""Weights from the TensorFlow 2 Detection Model Zoo: its archive of the model, downloaded and unpacked."""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.base import LABEL_MAP, BaseDescription
from tasks.errors import CheckpointError, UnreachableError
from tasks.model.definition import ZOO_RELEASE
from tasks.model.label_map import write_label_map
from tasks.weights.coco_classes import coco_classes
from tasks.weights.download import download
from tasks.weights.own_path import take_from_archive
from tasks.weights.request import WeightsRequest

if TYPE_CHECKING:
    from tasks.params import CheckpointParams


def take_from_zoo(request: WeightsRequest, params: "CheckpointParams", into: Path, downloads: Path) -> BaseDescription:
    """Write the zoo's checkpoint of the model into the folder `into`; describe it.

    Raises:
        CheckpointError: the zoo has no archive of this model, or not the one that `params.sha256` means.
        UnreachableError: its server did not answer.
    """
    if request.definition is None:
        raise CheckpointError(
            f"checkpoint.source zoo: no archive of the zoo is known for {request.model}; fetch one yourself and set "
            "checkpoint.source to its path, or to none"
        )
    name = f"{request.definition.zoo_archive}.tar.gz"
    url, archive = f"{_folder_url(params.zoo_url, request.definition.zoo_release)}/{name}", downloads / name
    try:
        sha256 = download(url, archive, sha256=params.sha256)
    except (CheckpointError, UnreachableError) as error:
        others = "base, imagenet, none" if request.is_mobilenet_v2 else "base, none"
        raise type(error)(
            f"{error}\n  checkpoint.source may also be {others}, or the path of an archive or folder from elsewhere"
        ) from error
    try:
        take_from_archive(archive, request, into)
    finally:
        archive.unlink(missing_ok=True)
    if not (into / LABEL_MAP).exists():
        write_label_map(coco_classes(), into / LABEL_MAP)
    licence = "Apache-2.0 (TensorFlow 2 Detection Model Zoo)"
    return request.description("tf_checkpoint", url, sha256=sha256, licence=licence)


def _folder_url(zoo_url: str, release: str) -> str:
    """The address of the folder of a release; an address that does not end with a release's is of a copy, and stays."""
    url = zoo_url.rstrip("/")
    return f"{url.removesuffix(ZOO_RELEASE)}{release}" if url.endswith(f"/{ZOO_RELEASE}") else url
