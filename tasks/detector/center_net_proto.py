"""From the definition of a CenterNet to the OD API's `center_net { ... }` message.

The values here are those that the zoo's CenterNets of boxes share. Imports protobuf, not TensorFlow.
"""

from object_detection.protos import center_net_pb2

from tasks.detector.model_messages import keep_proportions
from tasks.model.center_net_models import CenterNetDefinition


def center_net_message(definition: CenterNetDefinition, num_classes: int) -> center_net_pb2.CenterNet:
    """The model of a CenterNet that finds boxes."""
    message = center_net_pb2.CenterNet(num_classes=num_classes)
    message.feature_extractor.type = definition.feature_extractor
    if definition.separable_upsampling:
        message.feature_extractor.use_separable_conv = True
    if definition.separable_heads:
        message.use_depthwise = True
    keep_proportions(message.image_resizer, definition.side_px)
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
