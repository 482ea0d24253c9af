"""The sources that `checkpoint.source` can name."""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.base import BaseDescription, write_arrays
from tasks.model.definitions import closest_model, find_model
from tasks.weights.imagenet import take_imagenet_weights
from tasks.weights.own_path import take_from_path
from tasks.weights.request import WeightsRequest
from tasks.weights.shipped_base import NAME, read_shipped_base
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
    found = find_model(model.name, model.side_px)
    definition = closest_model(found) if isinstance(found, Path) else found
    request = WeightsRequest(params.source, model.name, definition)
    if params.source == "zoo":
        return take_from_zoo(request, params, into, downloads)
    if params.source == "imagenet":
        return take_imagenet_weights(request, into)
    if params.source == "base":
        return _take_shipped_base(request, into)
    if params.source == "none":
        return request.no_weights()
    return take_from_path(request, into)


def _take_shipped_base(request: WeightsRequest, into: Path) -> BaseDescription:
    """Write the shipped base into the folder `into`, or the next best weights for a model that it does not fit."""
    if request.definition is not None and request.is_mobilenet_v2 and request.definition.depthwise:
        base = read_shipped_base()
        write_arrays(base.arrays, into)
        return request.description("weights", base.origin, sha256=base.sha256, licence=base.licence)
    if request.is_mobilenet_v2:
        description = take_imagenet_weights(request, into)
        instead = "the backbone starts from ImageNet weights"
    else:
        description = request.no_weights()
        instead = "training starts from random numbers; zoo is better where it can be reached"
    reason = f"the base is for {NAME} and does not fit {request.model}: {instead}"
    return description.model_copy(update={"fallback": reason})
