"""The sources that `checkpoint.source` can name."""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.base import BaseDescription
from tasks.model.definitions import closest_model, find_model
from tasks.weights.own_path import take_from_path
from tasks.weights.request import WeightsRequest
from tasks.weights.shipped import take_base, take_imagenet
from tasks.weights.zoo import take_from_zoo

if TYPE_CHECKING:
    from tasks.params import CheckpointParams, ModelParams


def take_weights(params: "CheckpointParams", model: "ModelParams", into: Path, *, downloads: Path) -> BaseDescription:
    """Write the weights that `params.source` means into the folder `into`; describe them.

    Args:
        params: the source, and where the zoo is.
        model: the model that they are for.
        into: an empty folder.
        downloads: the folder that keeps what has arrived of an interrupted download.

    Raises:
        CheckpointError: they cannot be fetched, do not fit the model, or are not what they should be.
        UnreachableError: the server of the zoo did not answer.
        ConfigError: there is no such model.
    """
    description = _take(params, model, into, downloads)
    return description.model_copy(update={"class_names": dict(params.class_names)})


def _take(params: "CheckpointParams", model: "ModelParams", into: Path, downloads: Path) -> BaseDescription:
    found = find_model(model.name, model.side_px)
    definition = closest_model(found) if isinstance(found, Path) else found
    request = WeightsRequest(params.source, model.name, definition)
    if params.source == "zoo":
        return take_from_zoo(request, params, into, downloads)
    if params.source == "imagenet":
        return take_imagenet(request, into)
    if params.source == "base":
        return take_base(request, into)
    if params.source == "none":
        return request.no_weights()
    return take_from_path(request, into)
