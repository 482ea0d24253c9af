"""What of a Faster R-CNN's message says whether it has a feature pyramid (FPN), and which levels. Protobuf alone."""

from collections.abc import Iterator

from object_detection.protos import faster_rcnn_pb2, multiscale_anchor_generator_pb2

# The levels that the OD API makes of a ResNet's stages, and those of a message without `fpn { }`.
_OF_STAGES = range(2, 6)
_DEFAULT = (2, 6)
# Of the one feature map without a pyramid.
_STRIDE_PX = 16


def has_fpn(model: faster_rcnn_pb2.FasterRcnn) -> bool:
    """Whether its feature extractor is one with an FPN."""
    return bool(model.feature_extractor.type.endswith("_fpn_keras"))


def reasons_of_levels(model: faster_rcnn_pb2.FasterRcnn) -> Iterator[str]:
    """Why its levels and their anchors cannot be built, or not as they are meant."""
    yield from _reasons_with_fpn(model) if has_fpn(model) else _reasons_without_fpn(model)


def _reasons_with_fpn(model: faster_rcnn_pb2.FasterRcnn) -> Iterator[str]:
    extractor = model.feature_extractor
    lowest, highest = (extractor.fpn.min_level, extractor.fpn.max_level) if extractor.HasField("fpn") else _DEFAULT
    if lowest not in _OF_STAGES:
        yield (
            f"feature_extractor.fpn.min_level is {lowest}; a ResNet's stages make the levels {_OF_STAGES[0]} to "
            f"{_OF_STAGES[-1]}"
        )
    if highest <= lowest:
        least = lowest + 1
        yield f"feature_extractor.fpn.max_level is {highest}, not above its min_level {lowest}; write {least} or more"
    if extractor.first_stage_features_stride not in (8, 16):
        yield (
            f"feature_extractor.first_stage_features_stride is {extractor.first_stage_features_stride}; write 16, "
            "which has no effect on a pyramid"
        )
    if not extractor.HasField("conv_hyperparams"):
        yield "feature_extractor.conv_hyperparams is missing, which the layers of an FPN are built with; write it"
    generator = model.first_stage_anchor_generator
    if not generator.HasField("multiscale_anchor_generator"):
        kind = generator.WhichOneof("anchor_generator_oneof") or "missing"
        yield f"first_stage_anchor_generator is {kind}; an FPN needs a multiscale_anchor_generator"
    anchors = generator.multiscale_anchor_generator
    if (anchors.min_level, anchors.max_level) != (lowest, highest):
        yield (
            f"multiscale_anchor_generator has the levels {anchors.min_level} to {anchors.max_level}, and "
            f"feature_extractor.fpn {lowest} to {highest}; write the same in both"
        )
    if anchors.normalize_coordinates:
        yield "multiscale_anchor_generator.normalize_coordinates: two stages need pixels; write false"


def _reasons_without_fpn(model: faster_rcnn_pb2.FasterRcnn) -> Iterator[str]:
    extractor, generator = model.feature_extractor, model.first_stage_anchor_generator
    for name in ("fpn", "conv_hyperparams"):
        if extractor.HasField(name):
            yield (
                f"feature_extractor.{name} is for the types that end with _fpn_keras, and {extractor.type} has no such "
                "layers; write that type, or remove it"
            )
    if extractor.first_stage_features_stride != _STRIDE_PX:
        yield (
            f"feature_extractor.first_stage_features_stride is {extractor.first_stage_features_stride}; "
            f"{extractor.type} has {_STRIDE_PX}"
        )
    kind = generator.WhichOneof("anchor_generator_oneof")
    if kind == "multiscale_anchor_generator":
        yield from _reasons_of_one_level(generator.multiscale_anchor_generator, extractor.type)
    elif kind == "grid_anchor_generator":
        grid = generator.grid_anchor_generator
        for name in ("height_stride", "width_stride"):
            if getattr(grid, name) != _STRIDE_PX:
                yield (
                    f"grid_anchor_generator.{name} is {getattr(grid, name)}, so that the anchors would not lie on the "
                    f"places of the feature map; write {_STRIDE_PX}"
                )
    else:
        yield f"first_stage_anchor_generator is {kind or 'missing'}; write a grid_anchor_generator"


def _reasons_of_one_level(
    anchors: multiscale_anchor_generator_pb2.MultiscaleAnchorGenerator, kind: str
) -> Iterator[str]:
    if anchors.min_level != anchors.max_level:
        yield (
            f"multiscale_anchor_generator has anchors of several levels, and {kind} gives one; write a "
            "grid_anchor_generator"
        )
    if 2**anchors.min_level != _STRIDE_PX:
        yield (
            f"multiscale_anchor_generator has anchors of the level {anchors.min_level}, and {kind} gives the level "
            f"{_STRIDE_PX.bit_length() - 1}; write that for min_level and max_level"
        )
    if anchors.normalize_coordinates:
        yield "multiscale_anchor_generator.normalize_coordinates: two stages need pixels; write false"
