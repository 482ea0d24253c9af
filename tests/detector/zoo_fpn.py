"""The model of the zoo's config of a Faster R-CNN with an FPN (faster_rcnn_resnet50_v1_fpn_640x640_coco17_tpu-8)."""

from google.protobuf import text_format
from object_detection.protos import pipeline_pb2

from tasks.detector.pipeline_config import PipelineConfig

ZOO_FPN = """
model {
  faster_rcnn {
    num_classes: 90
    image_resizer {
      keep_aspect_ratio_resizer { min_dimension: 640 max_dimension: 640 pad_to_max_dimension: true }
    }
    feature_extractor {
      type: 'faster_rcnn_resnet50_fpn_keras'
      batch_norm_trainable: true
      fpn { min_level: 2 max_level: 6 }
      conv_hyperparams {
        activation: RELU_6,
        regularizer { l2_regularizer { weight: 0.0004 } }
        initializer { truncated_normal_initializer { stddev: 0.03 mean: 0.0 } }
        batch_norm { scale: true, decay: 0.997, epsilon: 0.001 }
      }
      override_base_feature_extractor_hyperparams: true
    }
    first_stage_anchor_generator {
      multiscale_anchor_generator {
        min_level: 2
        max_level: 6
        anchor_scale: 4.0
        aspect_ratios: [1.0, 2.0, 0.5]
        scales_per_octave: 2
        normalize_coordinates: false
      }
    }
    first_stage_box_predictor_conv_hyperparams {
      op: CONV
      regularizer { l2_regularizer { weight: 0.0 } }
      initializer { truncated_normal_initializer { stddev: 0.01 } }
    }
    first_stage_nms_score_threshold: 0.0
    first_stage_nms_iou_threshold: 0.7
    first_stage_max_proposals: 300
    first_stage_localization_loss_weight: 2.0
    first_stage_objectness_loss_weight: 1.0
    initial_crop_size: 14
    maxpool_kernel_size: 2
    maxpool_stride: 2
    second_stage_box_predictor {
      mask_rcnn_box_predictor {
        use_dropout: false
        dropout_keep_probability: 1.0
        fc_hyperparams {
          op: FC
          regularizer { l2_regularizer { weight: 0.0 } }
          initializer { variance_scaling_initializer { factor: 1.0 uniform: true mode: FAN_AVG } }
        }
      }
    }
    second_stage_post_processing {
      batch_non_max_suppression {
        score_threshold: 0.0 iou_threshold: 0.6 max_detections_per_class: 100 max_total_detections: 300
      }
      score_converter: SOFTMAX
    }
    second_stage_localization_loss_weight: 2.0
    second_stage_classification_loss_weight: 1.0
    use_static_shapes: true
    use_matmul_crop_and_resize: true
    clip_anchors_to_image: true
    use_static_balanced_label_sampler: true
    use_matmul_gather_in_matcher: true
  }
}
"""


def zoo_fpn_config() -> PipelineConfig:
    """Its message."""
    return text_format.Parse(ZOO_FPN, pipeline_pb2.TrainEvalPipelineConfig())
