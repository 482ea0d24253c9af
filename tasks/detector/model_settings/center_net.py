"""The `center_net { ... }` message of a pipeline.config: what of it is refused, filled in, and without effect."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from object_detection.protos import center_net_pb2

from tasks.errors import ConfigError

if TYPE_CHECKING:
    from tasks.params import ExportParams, TrainParams

# The OD API reads from the extractor's name that its upsampling is separable, and passes that on only where the field
# is set as well.
_SEPARABLE = "mobilenet_v2_fpn_sep_conv"
_EXTRACTORS = re.compile(
    r"resnet_v2_(50|101)|resnet_v1_(18|34|50|101)_fpn|mobilenet_v2_fpn(_sep_conv)?|hourglass_(10|20|32|52|104)"
)
# The losses of the zoo's models, by the field that holds each.
_LOSSES = {
    "object_center_params.classification_loss": "penalty_reduced_logistic_focal_loss { alpha: 2.0 beta: 4.0 }",
    "object_detection_task.localization_loss": "l1_localization_loss { }",
}
# What else a CenterNet can learn or do, by the field that asks for it.
_OTHER_TASKS = {
    "keypoint_estimation_task": "keypoints",
    "mask_estimation_task": "masks",
    "densepose_estimation_task": "DensePose",
    "track_estimation_task": "tracks",
    "temporal_offset_task": "offsets between frames",
    "deepmac_mask_estimation": "masks of DeepMAC",
}


def why_unsupported(model: center_net_pb2.CenterNet) -> str | None:
    """The first reason why this pipeline cannot train the model; None where it can."""
    return next(_reasons(model), None)


def fill_in_model(model: center_net_pb2.CenterNet, train: "TrainParams", export: "ExportParams") -> None:
    """Put the values of params.yaml that a CenterNet has a meaning for into its model.

    `train.localization_weight` is the weight of the task of boxes, by which the losses of offset and scale are
    multiplied.

    Raises:
        ConfigError: the params are of SSD's focal loss.
    """
    for name, value in {"alpha": train.focal_alpha, "gamma": train.focal_gamma}.items():
        if value is not None:
            raise ConfigError(
                f"train.focal_{name}: CenterNet has a focal loss of its own (penalty_reduced_logistic_focal_loss), "
                f"which has no such {name}; set it to null"
            )
    if model.feature_extractor.type == _SEPARABLE:
        model.feature_extractor.use_separable_conv = True
    if train.localization_weight is not None:
        model.object_detection_task.task_loss_weight = train.localization_weight
    model.object_center_params.max_box_predictions = export.max_detections


def loss_settings(model: center_net_pb2.CenterNet) -> dict[str, str]:
    """The settings of the losses that params.yaml replaces where it has them, in words."""
    task = model.object_detection_task
    return {"localization_weight": f"{task.task_loss_weight:g}"} if task.HasField("task_loss_weight") else {}


def settings_without_effect(model: center_net_pb2.CenterNet) -> dict[str, str]:
    """The params that this model makes nothing of, and why."""
    why = "has no effect: a CenterNet finds the peaks of its centres, and leaves no box out because another overlaps it"
    return {"export.nms_iou_threshold": why}


def _reasons(model: center_net_pb2.CenterNet) -> Iterator[str]:
    extractor = model.feature_extractor.type
    if not _EXTRACTORS.fullmatch(extractor):
        yield (
            f"feature_extractor.type is {extractor!r}; supported are resnet_v2_50 and _101, resnet_v1_18_fpn to "
            "_101_fpn, mobilenet_v2_fpn and mobilenet_v2_fpn_sep_conv, hourglass_10 to _104"
        )
    set_fields = {field.name for field, _ in model.ListFields()}
    for name, words in _OTHER_TASKS.items():
        if name in set_fields:
            yield (
                f"center_net.{name}: {words} are not trained here, only boxes; remove it, and leave "
                "object_detection_task"
            )
    if "object_detection_task" not in set_fields:
        yield "center_net has no object_detection_task, and would find no boxes; write one (configs/README.md)"
    if "post_processing" in set_fields:
        yield (
            "center_net.post_processing: non-maximum suppression after CenterNet's peaks is not exported to TFLite and "
            "ONNX; remove it"
        )
    yield from _reasons_of_losses(model)
    if model.object_center_params.keypoint_weights_for_center:
        yield (
            "center_net.object_center_params.keypoint_weights_for_center: centres are those of boxes here; remove it"
        )


def _reasons_of_losses(model: center_net_pb2.CenterNet) -> Iterator[str]:
    for name, loss in _LOSSES.items():
        message, _, field = name.partition(".")
        # The loss and the choice of it have one name.
        if getattr(getattr(model, message), field).WhichOneof(field) is None:
            yield f"center_net.{name} is missing; write {loss}"
    # The others fail on a CenterNet's sizes and offsets, or multiply each by the weights of all.
    kind = model.object_detection_task.localization_loss.WhichOneof("localization_loss")
    if kind not in (None, "l1_localization_loss"):
        yield (
            f"center_net.object_detection_task.localization_loss is {kind}, which does not fit sizes and offsets of "
            "a CenterNet; write l1_localization_loss { }"
        )
