"""From the definition of a Faster R-CNN to the OD API's `faster_rcnn { ... }` message.

It imports protobuf, not TensorFlow. The values are those that the zoo's models of 640 pixels share.
"""

from object_detection.protos import (
    box_predictor_pb2,
    faster_rcnn_pb2,
    hyperparams_pb2,
    post_processing_pb2,
)

from tasks.detector.model_messages import keep_proportions
from tasks.model.faster_rcnn_models import FasterRcnnDefinition


def faster_rcnn_message(definition: FasterRcnnDefinition, num_classes: int) -> faster_rcnn_pb2.FasterRcnn:
    """The model of a Faster R-CNN with a ResNet."""
    model = faster_rcnn_pb2.FasterRcnn(
        num_classes=num_classes,
        first_stage_nms_score_threshold=0.0,
        first_stage_nms_iou_threshold=0.7,
        first_stage_max_proposals=300,
        first_stage_localization_loss_weight=2.0,
        first_stage_objectness_loss_weight=1.0,
        initial_crop_size=14,
        maxpool_kernel_size=2,
        maxpool_stride=2,
        second_stage_localization_loss_weight=2.0,
        second_stage_classification_loss_weight=1.0,
        second_stage_post_processing=_post_processing(),
        use_static_shapes=True,
        use_matmul_crop_and_resize=True,
        clip_anchors_to_image=True,
        use_static_balanced_label_sampler=True,
        use_matmul_gather_in_matcher=True,
    )
    keep_proportions(model.image_resizer, definition.side_px)
    model.feature_extractor.type = definition.feature_extractor
    model.feature_extractor.batch_norm_trainable = True
    anchors = model.first_stage_anchor_generator.grid_anchor_generator
    anchors.scales.extend([0.25, 0.5, 1.0, 2.0])
    anchors.aspect_ratios.extend([0.5, 1.0, 2.0])
    anchors.height_stride = anchors.width_stride = 16
    hyperparams = model.first_stage_box_predictor_conv_hyperparams
    hyperparams.op = hyperparams_pb2.Hyperparams.CONV
    hyperparams.regularizer.l2_regularizer.weight = 0.0
    hyperparams.initializer.truncated_normal_initializer.stddev = 0.01
    model.second_stage_box_predictor.mask_rcnn_box_predictor.CopyFrom(_box_predictor())
    return model


def _box_predictor() -> box_predictor_pb2.MaskRCNNBoxPredictor:
    """The OD API's name has masks in it; without them it is the second stage of a Faster R-CNN."""
    predictor = box_predictor_pb2.MaskRCNNBoxPredictor(
        use_dropout=False, dropout_keep_probability=1.0, share_box_across_classes=True
    )
    hyperparams = predictor.fc_hyperparams
    hyperparams.op = hyperparams_pb2.Hyperparams.FC
    hyperparams.regularizer.l2_regularizer.weight = 0.0
    scaling = hyperparams.initializer.variance_scaling_initializer
    scaling.factor, scaling.uniform = 1.0, True
    scaling.mode = hyperparams_pb2.VarianceScalingInitializer.FAN_AVG
    return predictor


def _post_processing() -> post_processing_pb2.PostProcessing:
    post_processing = post_processing_pb2.PostProcessing(score_converter=post_processing_pb2.PostProcessing.SOFTMAX)
    suppression = post_processing.batch_non_max_suppression
    suppression.score_threshold = 0.0
    suppression.iou_threshold = 0.6
    suppression.max_detections_per_class, suppression.max_total_detections = 100, 300
    return post_processing
