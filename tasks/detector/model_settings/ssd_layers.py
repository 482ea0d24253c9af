"""What of an SSD's message says which layers it has: its extractor, the feature maps, their anchors. Protobuf alone."""

import re
from collections.abc import Iterator

from object_detection.protos import ssd_pb2

# Those that the OD API builds with TensorFlow 2 (`model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP`).
_EXTRACTORS = re.compile(
    r"ssd_(mobilenet_v[12](_fpn)?|resnet(50|101|152)_v1_fpn|efficientnet-b[0-7]_bifpn)_keras",
)
_IN_WORDS = (
    "ssd_mobilenet_v1_keras and _v2_keras, ssd_mobilenet_v1_fpn_keras and _v2_fpn_keras, ssd_resnet50_v1_fpn_keras, "
    "101 and 152, ssd_efficientnet-b0_bifpn_keras to -b7"
)
# The levels of a message without `fpn { }`, and those that a backbone makes itself.
_DEFAULT = (3, 7)
_OF_BACKBONE = range(2, 6)
# An extractor without a pyramid begins with the map that has a 16th of the input's sides.
_FIRST_WITHOUT_PYRAMID = 4
_MAPS_WITHOUT_PYRAMID = 6
# The generators whose anchors can be in pixels.
_IN_PIXELS = ("multiscale_anchor_generator", "flexible_grid_anchor_generator")


def pyramid_of(model: ssd_pb2.Ssd) -> str:
    """The field of the extractor's pyramid: `fpn`, `bifpn`, or empty without one."""
    kind = re.search(r"_(bifpn|fpn)_keras$", model.feature_extractor.type)
    return kind[1] if kind else ""


def levels_of(model: ssd_pb2.Ssd) -> tuple[int, int]:
    """The lowest and the highest level of its feature maps: at level n a map has a 2^n-th of the input's sides."""
    extractor, pyramid = model.feature_extractor, pyramid_of(model)
    if not pyramid:
        maps = extractor.num_layers if extractor.HasField("num_layers") else _MAPS_WITHOUT_PYRAMID
        return _FIRST_WITHOUT_PYRAMID, _FIRST_WITHOUT_PYRAMID + maps - 1
    if not extractor.HasField(pyramid):
        return _DEFAULT
    levels = getattr(extractor, pyramid)
    return levels.min_level, levels.max_level


def reasons_of_layers(model: ssd_pb2.Ssd) -> Iterator[str]:
    """Why its layers cannot be built, or its anchors do not lie on its feature maps."""
    extractor = model.feature_extractor
    if not _EXTRACTORS.fullmatch(extractor.type):
        yield f"feature_extractor.type is {extractor.type!r}; supported are {_IN_WORDS}"
    yield from _reasons_of_pyramid(model)
    if pyramid_of(model) == "bifpn":
        # The OD API refuses both for an EfficientNet, with words of its own.
        if extractor.depth_multiplier != 1:
            yield f"feature_extractor.depth_multiplier is {extractor.depth_multiplier:g}; {extractor.type} needs 1"
        for name in ("use_depthwise", "use_explicit_padding"):
            if getattr(extractor, name):
                yield f"feature_extractor.{name} is not possible with {extractor.type}; remove it"
    if extractor.depth_multiplier <= 0:
        yield f"feature_extractor.depth_multiplier is {extractor.depth_multiplier:g}; write a number above 0"
    yield from _reasons_of_anchors(model)


def _reasons_of_pyramid(model: ssd_pb2.Ssd) -> Iterator[str]:
    extractor, pyramid = model.feature_extractor, pyramid_of(model)
    for name in ("fpn", "bifpn"):
        if name != pyramid and extractor.HasField(name):
            yield f"feature_extractor.{name}: {extractor.type} has no such layers; remove it, or write another type"
    if pyramid == "bifpn" and not extractor.HasField("bifpn"):
        yield f"feature_extractor.bifpn is missing, which {extractor.type} needs; write it"
    lowest, highest = levels_of(model)
    if pyramid and lowest not in _OF_BACKBONE:
        yield (
            f"feature_extractor.{pyramid}.min_level is {lowest}; the backbone makes the levels {_OF_BACKBONE[0]} to "
            f"{_OF_BACKBONE[-1]}"
        )
    if pyramid and highest < lowest:
        yield f"feature_extractor.{pyramid}.max_level is {highest}, below its min_level {lowest}; write more"
    if not pyramid and not 0 <= highest - lowest < _MAPS_WITHOUT_PYRAMID:
        yield f"feature_extractor.num_layers is {extractor.num_layers}; write 1 to {_MAPS_WITHOUT_PYRAMID}"


def _reasons_of_anchors(model: ssd_pb2.Ssd) -> Iterator[str]:
    generator, (lowest, highest) = model.anchor_generator, levels_of(model)
    kind, maps = generator.WhichOneof("anchor_generator_oneof"), highest - lowest + 1
    if kind in (None, "grid_anchor_generator"):
        yield (
            f"anchor_generator is {kind or 'missing'}; an SSD needs a multiscale_anchor_generator or an "
            "ssd_anchor_generator"
        )
    pyramid = generator.multiscale_anchor_generator
    if kind == "multiscale_anchor_generator" and (pyramid.min_level, pyramid.max_level) != (lowest, highest):
        yield (
            f"multiscale_anchor_generator has the levels {pyramid.min_level} to {pyramid.max_level}, and the feature "
            f"maps of feature_extractor are {lowest} to {highest}; write the same in both"
        )
    anchored = {
        "ssd_anchor_generator": generator.ssd_anchor_generator.num_layers,
        "flexible_grid_anchor_generator": len(generator.flexible_grid_anchor_generator.anchor_grid),
    }.get(kind, maps)
    if anchored != maps:
        yield f"{kind} has anchors for {anchored} feature maps, and feature_extractor gives {maps}; write as many"
    # Boxes are compared with anchors in fractions of the input.
    in_pixels = not getattr(generator, kind).normalize_coordinates if kind in _IN_PIXELS else False
    if in_pixels:
        yield f"{kind}.normalize_coordinates: an SSD needs fractions of the input; write true"
    yield from _reasons_of_ssd_anchors(model)


def _reasons_of_ssd_anchors(model: ssd_pb2.Ssd) -> Iterator[str]:
    if not model.anchor_generator.HasField("ssd_anchor_generator"):
        return
    own = model.anchor_generator.ssd_anchor_generator
    if own.scales and len(own.scales) != own.num_layers:
        yield f"ssd_anchor_generator has {len(own.scales)} scales for num_layers {own.num_layers}; write as many"
    for name in ("height_stride", "width_stride", "height_offset", "width_offset"):
        given = len(getattr(own, name))
        if given not in (0, own.num_layers):
            yield f"ssd_anchor_generator.{name} has {given} values for num_layers {own.num_layers}; write as many"
    shared = model.box_predictor.HasField("weight_shared_convolutional_box_predictor")
    if shared and own.reduce_boxes_in_lowest_layer and own.num_layers > 1:
        yield (
            "ssd_anchor_generator.reduce_boxes_in_lowest_layer gives the first feature map other anchors, and the "
            "weight_shared_convolutional_box_predictor needs as many on each; write false"
        )
