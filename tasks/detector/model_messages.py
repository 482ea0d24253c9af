"""The `model { ... }` message of a pipeline.config, whatever meta-architecture it has. Protobuf, not TensorFlow."""

from pathlib import Path
from typing import Any

from google.protobuf import text_format
from object_detection.protos import image_resizer_pb2, pipeline_pb2

from tasks.detector.model_settings.input_sides import reasons_of_sides
from tasks.detector.model_settings.kinds import KINDS
from tasks.errors import ConfigError
from tasks.model.geometry import model_geometry
from tasks.model.resizer import Resizer

_RESIZERS = ("fixed_shape_resizer", "keep_aspect_ratio_resizer")
SUPPORTED = "models of TensorFlow 2 that find boxes: ssd (EfficientDet, too), center_net, faster_rcnn"


def meta_architecture(config: pipeline_pb2.TrainEvalPipelineConfig) -> str:
    """The name of the model's message: `ssd`; empty where there is none."""
    return str(config.model.WhichOneof("model") or "")


def detector_message(config: pipeline_pb2.TrainEvalPipelineConfig) -> Any:
    """The message of the model itself: `model.ssd`."""
    return getattr(config.model, meta_architecture(config))


def extractor_type(config: pipeline_pb2.TrainEvalPipelineConfig) -> str:
    """The OD API's name of the feature extractor."""
    return str(detector_message(config).feature_extractor.type)


def check_supported(config: pipeline_pb2.TrainEvalPipelineConfig, path: Path) -> None:
    """Refuse a model that this pipeline cannot train.

    Raises:
        ConfigError: not a model for TensorFlow 2 that finds boxes, with an input of one size.
    """
    kind = meta_architecture(config)
    if kind not in KINDS:
        raise ConfigError(f"{path}: its model is {kind or 'missing'}; supported are {SUPPORTED}")
    model = detector_message(config)
    reason = KINDS[kind].why_unsupported(model)
    if reason:
        raise ConfigError(f"{path}: {reason}")
    try:
        canvas = canvas_resizer(config).canvas
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    reason = next(reasons_of_sides(kind, model, canvas), None)
    if reason:
        raise ConfigError(f"{path}: {reason}")
    # What it cannot read is of one kind, which the OD API can.
    if kind != "ssd" or not model.anchor_generator.HasField("flexible_grid_anchor_generator"):
        model_geometry(text_format.MessageToString(config), path)


def canvas_resizer(config: pipeline_pb2.TrainEvalPipelineConfig) -> Resizer:
    """How images come on the detector's input.

    Raises:
        ConfigError: the input has no fixed size, or is to be made otherwise than here.
    """
    resizer = detector_message(config).image_resizer
    fixed, keep = resizer.fixed_shape_resizer, resizer.keep_aspect_ratio_resizer
    kind = resizer.WhichOneof("image_resizer_oneof")
    if kind in _RESIZERS:
        _check_resizing(kind, getattr(resizer, kind))
    if kind == "fixed_shape_resizer" and fixed.height > 0 and fixed.width > 0:
        return Resizer(width=fixed.width, height=fixed.height)
    if kind == "keep_aspect_ratio_resizer" and keep.min_dimension > keep.max_dimension > 0:
        raise ConfigError(
            f"image_resizer.keep_aspect_ratio_resizer.min_dimension is {keep.min_dimension}, above its max_dimension "
            f"{keep.max_dimension}; write {keep.max_dimension} or less"
        )
    if kind == "keep_aspect_ratio_resizer" and 0 < keep.min_dimension <= keep.max_dimension:
        if keep.pad_to_max_dimension and not any(keep.per_channel_pad_value):
            return Resizer(min_side=keep.min_dimension, max_side=keep.max_dimension)
        raise ConfigError(
            "image_resizer.keep_aspect_ratio_resizer gives images of several sizes, or pads with a colour; write "
            "pad_to_max_dimension: true and no per_channel_pad_value"
        )
    raise ConfigError(
        "its image_resizer is neither a fixed_shape_resizer with height and width nor a keep_aspect_ratio_resizer with "
        "min_dimension and max_dimension; write one"
    )


def _check_resizing(kind: str, message: Any) -> None:
    """Refuse what neither training nor the exported files would do to an image."""
    if message.convert_to_grayscale:
        raise ConfigError(f"image_resizer.{kind}.convert_to_grayscale: a detector takes three colours here; remove it")
    if message.resize_method != image_resizer_pb2.BILINEAR:
        method = image_resizer_pb2.ResizeType.Name(message.resize_method)
        raise ConfigError(
            f"image_resizer.{kind}.resize_method is {method}; images are scaled by BILINEAR here; write that"
        )


def resized_config(config: pipeline_pb2.TrainEvalPipelineConfig, side_px: int) -> pipeline_pb2.TrainEvalPipelineConfig:
    """A copy of `config` with a square input of `side_px`; proportions are kept where they were."""
    resized = pipeline_pb2.TrainEvalPipelineConfig()
    resized.CopyFrom(config)
    set_side(detector_message(resized).image_resizer, side_px)
    return resized


def keep_proportions(image_resizer: Any, side_px: int) -> None:
    """Make an `image_resizer` message one that keeps proportions on a square of `side_px`."""
    keep = image_resizer.keep_aspect_ratio_resizer
    keep.min_dimension = keep.max_dimension = side_px
    keep.pad_to_max_dimension = True


def set_side(image_resizer: Any, side_px: int) -> None:
    """Make the input of an `image_resizer` message a square of `side_px`."""
    if image_resizer.HasField("keep_aspect_ratio_resizer"):
        keep = image_resizer.keep_aspect_ratio_resizer
        keep.min_dimension = keep.max_dimension = side_px
    else:
        fixed = image_resizer.fixed_shape_resizer
        fixed.height = fixed.width = side_px
