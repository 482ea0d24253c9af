"""The OD API's `center_net { ... }` message: made from a definition, and filled in from params.yaml.

The values here are those that the zoo's CenterNets of boxes share. Imports protobuf, not TensorFlow.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from object_detection.protos import center_net_pb2

from tasks.errors import ConfigError
from tasks.model.center_net_models import CenterNetDefinition

if TYPE_CHECKING:
    from tasks.params import ExportParams, TrainParams

# The OD API reads from the extractor's name that its upsampling is separable, and passes that on only where the field
# is set as well.
_SEPARABLE = "mobilenet_v2_fpn_sep_conv"
# What else a CenterNet can learn or do, by the field that asks for it.
_OTHER_TASKS = {
    "keypoint_estimation_task": "keypoints",
    "mask_estimation_task": "masks",
    "densepose_estimation_task": "DensePose",
    "track_estimation_task": "tracks",
    "temporal_offset_task": "offsets between frames",
    "deepmac_mask_estimation": "masks of DeepMAC",
}


def center_net_message(definition: CenterNetDefinition, num_classes: int) -> center_net_pb2.CenterNet:
    """The model of a CenterNet that finds boxes."""
    message = center_net_pb2.CenterNet(num_classes=num_classes)
    message.feature_extractor.type = definition.feature_extractor
    if definition.separable_upsampling:
        message.feature_extractor.use_separable_conv = True
    if definition.separable_heads:
        message.use_depthwise = True
    resizer = message.image_resizer.keep_aspect_ratio_resizer
    resizer.min_dimension = resizer.max_dimension = definition.side_px
    resizer.pad_to_max_dimension = True
    task = message.object_detection_task
    task.task_loss_weight, task.offset_loss_weight, task.scale_loss_weight = 1.0, 1.0, 0.1
    task.localization_loss.l1_localization_loss.SetInParent()
    center = message.object_center_params
    center.object_center_loss_weight = 1.0
    center.min_box_overlap_iou = 0.7
    center.max_box_predictions = 100
    focal = center.classification_loss.penalty_reduced_logistic_focal_loss
    focal.alpha, focal.beta = 2.0, 4.0
    return message


def fill_center_net(message: center_net_pb2.CenterNet, train: "TrainParams", export: "ExportParams") -> None:
    """Put the values of params.yaml that a CenterNet has a meaning for into its message.

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
    if message.feature_extractor.type == _SEPARABLE:
        message.feature_extractor.use_separable_conv = True
    if train.localization_weight is not None:
        message.object_detection_task.task_loss_weight = train.localization_weight
    message.object_center_params.max_box_predictions = export.max_detections


def check_boxes_only(message: center_net_pb2.CenterNet, path: Path) -> None:
    """Refuse a CenterNet that finds no boxes, or more than boxes; `path` is the config's.

    Raises:
        ConfigError: it is one.
    """
    set_fields = {field.name for field, _ in message.ListFields()}
    for name, words in _OTHER_TASKS.items():
        if name in set_fields:
            raise ConfigError(
                f"{path}: center_net.{name}: {words} are not trained here, only boxes; remove it, and leave "
                "object_detection_task"
            )
    if "object_detection_task" not in set_fields:
        raise ConfigError(
            f"{path}: center_net has no object_detection_task, and would find no boxes; write one (configs/README.md)"
        )
    if "post_processing" in set_fields:
        raise ConfigError(
            f"{path}: center_net.post_processing: non-maximum suppression after CenterNet's peaks is not exported to "
            "TFLite and ONNX; remove it"
        )
    if message.object_center_params.keypoint_weights_for_center:
        raise ConfigError(
            f"{path}: center_net.object_center_params.keypoint_weights_for_center: centres are those of boxes here; "
            "remove it"
        )


def center_net_settings(message: center_net_pb2.CenterNet) -> dict[str, str]:
    """The values in a message that `fill_center_net` may replace, in words, by the names of `OVERRIDDEN_BY`."""
    task = message.object_detection_task
    return {"localization_weight": f"{task.task_loss_weight:g}"} if task.HasField("task_loss_weight") else {}
