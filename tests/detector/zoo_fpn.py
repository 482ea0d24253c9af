"""A Faster R-CNN with an FPN, in meaning the zoo's faster_rcnn_resnet50_v1_fpn_640x640_coco17_tpu-8."""

from google.protobuf import text_format
from object_detection.protos import anchor_generator_pb2, faster_rcnn_pb2

from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import PipelineConfig
from tasks.model.definitions import MODELS

_EXTRACTOR = """
type: "faster_rcnn_resnet50_fpn_keras"
batch_norm_trainable: true
override_base_feature_extractor_hyperparams: true
fpn { min_level: 2 max_level: 6 }
conv_hyperparams {
  activation: RELU_6
  initializer { truncated_normal_initializer { mean: 0 stddev: 0.03 } }
  regularizer { l2_regularizer { weight: 4e-4 } }
  batch_norm { scale: true epsilon: 1e-3 decay: 0.997 }
}
"""
_ANCHORS = """
multiscale_anchor_generator {
  min_level: 2 max_level: 6 scales_per_octave: 2 anchor_scale: 4
  aspect_ratios: 1 aspect_ratios: 2 aspect_ratios: 0.5
  normalize_coordinates: false
}
"""


def zoo_fpn_config() -> PipelineConfig:
    """The model without an FPN, with what differs."""
    config = pipeline_proto(MODELS["faster_rcnn_resnet50_v1_640x640"])
    model = config.model.faster_rcnn
    model.num_classes = 90
    model.feature_extractor.CopyFrom(text_format.Parse(_EXTRACTOR, faster_rcnn_pb2.FasterRcnnFeatureExtractor()))
    model.first_stage_anchor_generator.CopyFrom(text_format.Parse(_ANCHORS, anchor_generator_pb2.AnchorGenerator()))
    model.second_stage_box_predictor.mask_rcnn_box_predictor.ClearField("share_box_across_classes")
    return config
