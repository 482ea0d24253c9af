"""From a `ModelDefinition` to a pipeline.config. Imports protobuf, not TensorFlow.

Names and meaning: object_detection/protos/*.proto.
"""

from object_detection.protos import model_pb2, pipeline_pb2

from tasks.detector.center_net_proto import center_net_message
from tasks.detector.faster_rcnn_proto import faster_rcnn_message
from tasks.detector.ssd_proto import efficientdet_message, ssd_message
from tasks.model.center_net_models import CenterNetDefinition
from tasks.model.definition import ModelDefinition
from tasks.model.faster_rcnn_models import FasterRcnnDefinition
from tasks.model.ssd_models import EfficientDetDefinition, SsdDefinition


def pipeline_proto(definition: ModelDefinition) -> pipeline_pb2.TrainEvalPipelineConfig:
    """A pipeline.config for one class; `pipeline_config.fill_in` adds training settings and paths."""
    config = pipeline_pb2.TrainEvalPipelineConfig(model=model_proto(definition, num_classes=1))
    config.train_config.max_number_of_boxes = 100
    config.train_config.unpad_groundtruth_tensors = False
    config.eval_config.metrics_set.append("coco_detection_metrics")
    config.eval_config.use_moving_averages = False
    return config


def model_proto(definition: ModelDefinition, *, num_classes: int) -> model_pb2.DetectionModel:
    """The `model` message of a pipeline.config: the zoo's own values but for the definition's.

    Raises:
        TypeError: a kind of definition that there is no message for.
    """
    if isinstance(definition, SsdDefinition):
        return model_pb2.DetectionModel(ssd=ssd_message(definition, num_classes))
    if isinstance(definition, EfficientDetDefinition):
        return model_pb2.DetectionModel(ssd=efficientdet_message(definition, num_classes))
    if isinstance(definition, FasterRcnnDefinition):
        return model_pb2.DetectionModel(faster_rcnn=faster_rcnn_message(definition, num_classes))
    if isinstance(definition, CenterNetDefinition):
        return model_pb2.DetectionModel(center_net=center_net_message(definition, num_classes))
    raise TypeError(f"{definition.name}: no message for {type(definition).__name__}")
