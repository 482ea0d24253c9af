"""The sizes in a pipeline.config: of the input and the anchors, and the IoU from which on an anchor matches.

CenterNet has no anchors: an object is learned at the one cell of the output in which its centre lies.

The file is a protobuf message, `object_detection.protos.TrainEvalPipelineConfig`. The few fields that matter here are
described again, with the OD API's names and defaults, in a separate pool, so that neither TensorFlow nor the OD API has
to be imported; all other fields are ignored.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from tasks.errors import ConfigError
from tasks.ground.text import shortened
from tasks.model.anchors import Anchors, grid_anchors, linear_scales, pyramid_anchors, ssd_anchors
from tasks.model.center_net_models import OUTPUT_STRIDE_PX
from tasks.model.resizer import Resizer

# Message -> its fields: name, and a message or a type with the default that the OD API's .proto gives it. A list is a
# repeated field. Text is read by names, so that the fields' numbers do not matter.
_Default: TypeAlias = str | int | float | bool | list[float]
_MESSAGES: dict[str, dict[str, _Default]] = {
    "Pipeline": {"model": "Model"},
    "Model": {"ssd": "Ssd", "center_net": "CenterNet", "faster_rcnn": "FasterRcnn"},
    "CenterNet": {"image_resizer": "Resizer"},
    "Ssd": {"image_resizer": "Resizer", "anchor_generator": "Generator", "matcher": "Matcher"},
    "FasterRcnn": {"image_resizer": "Resizer", "first_stage_anchor_generator": "Generator"},
    "Resizer": {"fixed_shape_resizer": "Fixed", "keep_aspect_ratio_resizer": "KeepAspect"},
    "Fixed": {"height": 300, "width": 300},
    "KeepAspect": {"min_dimension": 600, "max_dimension": 1024, "pad_to_max_dimension": False},
    "Generator": {
        "ssd_anchor_generator": "SsdAnchors",
        "multiscale_anchor_generator": "PyramidAnchors",
        "grid_anchor_generator": "GridAnchors",
    },
    "GridAnchors": {
        "height": 256,
        "width": 256,
        "height_stride": 16,
        "width_stride": 16,
        "scales": [],
        "aspect_ratios": [],
    },
    "SsdAnchors": {
        "num_layers": 6,
        "min_scale": 0.2,
        "max_scale": 0.95,
        "scales": [],
        "aspect_ratios": [],
        "interpolated_scale_aspect_ratio": 1.0,
        "reduce_boxes_in_lowest_layer": True,
        "base_anchor_height": 1.0,
        "base_anchor_width": 1.0,
    },
    "PyramidAnchors": {
        "min_level": 3,
        "max_level": 7,
        "anchor_scale": 4.0,
        "aspect_ratios": [],
        "scales_per_octave": 2,
    },
    "Matcher": {"argmax_matcher": "Argmax"},
    "Argmax": {"matched_threshold": 0.5, "ignore_thresholds": False, "force_match_for_each_row": False},
}

# Of a parser's message, which quotes the line.
_LONGEST = 300
# The OD API's SSD extractors without a pyramid start from the backbone's layer that halves the input four times.
_STRIDE_WITHOUT_PYRAMID_PX = 16
# Of a Faster R-CNN. From an IoU of 0.5 on, its second stage learns from a proposal. In its first stage every box trains
# the anchor that fits it best, and beside it those from 0.7 on, which few reach: this says nothing about the data. The
# OD API has no setting for either (`target_assigner.create_target_assigner`).
_PROPOSAL_IOU, _PROPOSAL_FORCE_MATCH = 0.5, True


@dataclass(frozen=True)
class ModelGeometry:
    """Sizes in a detector.

    Attributes:
        resizer: the size that images are resized to.
        anchors: in pixels of the resized image; none in a CenterNet.
        matched_iou: an anchor learns an object from this IoU on; of two stages, a proposal; 0 without anchors, which no
            box can miss.
        force_match: whether an object that no anchor matches is assigned to the one that overlaps it most.
        finest_stride_px: pixels of the input, across and down, for one place of the finest feature map.
    """

    resizer: Resizer
    anchors: Anchors
    matched_iou: float
    force_match: bool
    finest_stride_px: int

    @property
    def has_anchors(self) -> bool:
        """Whether boxes are matched with anchors, and not found by their centres."""
        return bool(self.anchors.levels)


def read_model_geometry(path: Path) -> ModelGeometry:
    """The geometry of the model in a pipeline.config.

    Raises:
        ConfigError: the file is missing or no pipeline.config, or its resizer, anchor generator or matcher is none that
            is supported here.
    """
    return model_geometry(_read_text(path), path)


def read_resizer(path: Path) -> Resizer:
    """The size that the model in a pipeline.config resizes images to.

    Raises:
        ConfigError: the file is missing or no pipeline.config, or its resizer is none that is supported here.
    """
    return _resizer(_detector(_parse(_read_text(path), path).model).image_resizer, path)


def model_geometry(text: str, path: Path) -> ModelGeometry:
    """The geometry of the model in the `text` of a pipeline.config; messages name it `path`.

    Raises:
        ConfigError: as `read_model_geometry`.
    """
    model = _parse(text, path).model
    detector = _detector(model)
    resizer = _resizer(detector.image_resizer, path)
    if model.HasField("center_net"):
        return ModelGeometry(
            resizer, Anchors(()), matched_iou=0.0, force_match=False, finest_stride_px=OUTPUT_STRIDE_PX
        )
    two_stages = model.HasField("faster_rcnn")
    matched_iou, force_match = (_PROPOSAL_IOU, _PROPOSAL_FORCE_MATCH) if two_stages else _matching(detector, path)
    generator = detector.first_stage_anchor_generator if two_stages else detector.anchor_generator
    anchors = _anchors(generator, detector.image_resizer, path)
    if not len(anchors.sizes):
        raise ConfigError(f"{path}: its anchor_generator gives no anchors; write scales")
    if not (np.isfinite(anchors.sizes) & (anchors.sizes > 0)).all():
        raise ConfigError(
            f"{path}: its anchor_generator gives anchors without a size above 0; write scales and a base that are "
            "numbers above 0"
        )
    return ModelGeometry(
        resizer=resizer,
        anchors=anchors,
        matched_iou=matched_iou,
        force_match=force_match,
        finest_stride_px=_finest_stride_px(generator),
    )


def _detector(model: Any) -> Any:
    """The message of the detector itself, whatever its meta-architecture."""
    kind = next((kind for kind in ("center_net", "faster_rcnn") if model.HasField(kind)), "ssd")
    return getattr(model, kind)


def _matching(ssd: Any, path: Path) -> tuple[float, bool]:
    if not ssd.matcher.HasField("argmax_matcher"):
        raise ConfigError(f"{path}: its matcher is no argmax_matcher")
    matcher = ssd.matcher.argmax_matcher
    # Without thresholds each anchor learns the object that it overlaps most.
    return 0.0 if matcher.ignore_thresholds else matcher.matched_threshold, matcher.force_match_for_each_row


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; the configure stage writes it (dvc repro configure)") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a pipeline.config ({error})") from error


def _parse(text: str, path: Path) -> Any:
    try:
        return text_format.Parse(text, _PIPELINE(), allow_unknown_field=True)
    except text_format.ParseError as error:
        raise ConfigError(f"{path}: not a pipeline.config ({shortened(str(error), _LONGEST)})") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not a pipeline.config: nested too deeply") from error


def _resizer(message: Any, path: Path) -> Resizer:
    fixed, keep = message.fixed_shape_resizer, message.keep_aspect_ratio_resizer
    if message.HasField("fixed_shape_resizer") and fixed.width > 0 and fixed.height > 0:
        return Resizer(width=fixed.width, height=fixed.height)
    if message.HasField("keep_aspect_ratio_resizer") and 0 < keep.min_dimension <= keep.max_dimension:
        return Resizer(min_side=keep.min_dimension, max_side=keep.max_dimension)
    raise ConfigError(f"{path}: its image_resizer is neither a fixed_shape_resizer nor a keep_aspect_ratio_resizer")


def _anchors(message: Any, resizer: Any, path: Path) -> Anchors:
    if message.HasField("multiscale_anchor_generator"):
        pyramid = message.multiscale_anchor_generator
        if not 0 <= pyramid.min_level <= pyramid.max_level <= 20 or not 0 < pyramid.scales_per_octave <= 100:
            raise ConfigError(
                f"{path}: its multiscale_anchor_generator has impossible levels or scales (min_level "
                f"{pyramid.min_level}, max_level {pyramid.max_level}, scales_per_octave {pyramid.scales_per_octave}); "
                "write levels from 0 to 20, the lower one first, and 1 to 100 scales"
            )
        return pyramid_anchors(
            min_level=pyramid.min_level,
            max_level=pyramid.max_level,
            anchor_scale=pyramid.anchor_scale,
            aspect_ratios=_ratios(pyramid.aspect_ratios, path),
            scales_per_octave=pyramid.scales_per_octave,
        )
    if message.HasField("ssd_anchor_generator"):
        ssd = message.ssd_anchor_generator
        return ssd_anchors(
            scales=_scales(ssd, path),
            aspect_ratios=_ratios(ssd.aspect_ratios, path),
            interpolated_scale_aspect_ratio=ssd.interpolated_scale_aspect_ratio,
            reduce_boxes_in_lowest_layer=ssd.reduce_boxes_in_lowest_layer,
            base_width=ssd.base_anchor_width,
            base_height=ssd.base_anchor_height,
            input_side_px=_input_side_px(resizer, path),
        )
    if message.HasField("grid_anchor_generator"):
        grid = message.grid_anchor_generator
        return grid_anchors(
            scales=list(grid.scales),
            aspect_ratios=_ratios(grid.aspect_ratios, path),
            base_width=grid.width,
            base_height=grid.height,
        )
    raise ConfigError(
        f"{path}: its anchors come from neither a multiscale_anchor_generator nor an ssd_anchor_generator nor a "
        "grid_anchor_generator"
    )


def _finest_stride_px(generator: Any) -> int:
    if generator.HasField("multiscale_anchor_generator"):
        return int(2**generator.multiscale_anchor_generator.min_level)
    if generator.HasField("grid_anchor_generator"):
        grid = generator.grid_anchor_generator
        return int(min(grid.height_stride, grid.width_stride))
    return _STRIDE_WITHOUT_PYRAMID_PX


def _scales(ssd: Any, path: Path) -> list[float]:
    if not 0 < ssd.num_layers <= 100:
        raise ConfigError(f"{path}: its ssd_anchor_generator has num_layers {ssd.num_layers}; write 1 to 100")
    return list(ssd.scales)[: ssd.num_layers] or linear_scales(ssd.min_scale, ssd.max_scale, ssd.num_layers)


def _ratios(ratios: Any, path: Path) -> list[float]:
    if not ratios or min(ratios) <= 0:
        raise ConfigError(
            f"{path}: its anchor_generator has no aspect_ratios, or one that is not above 0; write some, such as 1.0"
        )
    return list(ratios)


def _input_side_px(resizer: Any, path: Path) -> int:
    """The shorter side of the detector's input, which the SSD generator's anchors are fractions of."""
    if resizer.HasField("fixed_shape_resizer"):
        return int(min(resizer.fixed_shape_resizer.width, resizer.fixed_shape_resizer.height))
    if resizer.keep_aspect_ratio_resizer.pad_to_max_dimension:
        return int(resizer.keep_aspect_ratio_resizer.max_dimension)
    raise ConfigError(f"{path}: the anchors of its ssd_anchor_generator have another size for each shape of image")


def _pipeline_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="model_geometry.proto", package="geometry")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (key, default) in enumerate(fields.items(), start=1):
            message.field.append(_field(key, number, default))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("geometry.Pipeline"))


def _field(name: str, number: int, default: _Default) -> Any:
    field = descriptor_pb2.FieldDescriptorProto(name=name, number=number)
    if isinstance(default, list):
        field.type, field.label = field.TYPE_FLOAT, field.LABEL_REPEATED
        return field
    field.label = field.LABEL_OPTIONAL
    if isinstance(default, str):
        field.type, field.type_name = field.TYPE_MESSAGE, f".geometry.{default}"
        return field
    field.type = {bool: field.TYPE_BOOL, int: field.TYPE_INT32, float: field.TYPE_FLOAT}[type(default)]
    field.default_value = str(default).lower() if isinstance(default, bool) else str(default)
    return field


_PIPELINE = _pipeline_class()
