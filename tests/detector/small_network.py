"""The real networks at a small input size: building takes seconds, a pass less than one."""

from tasks.detector.model_messages import detector_message, set_side
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.model.definitions import MODELS

V1, V2, RESNET = "ssd_mobilenet_v1_fpn_640x640", "ssd_mobilenet_v2_fpnlite_320x320", "ssd_resnet50_v1_fpn_640x640"
V2_SSD = "ssd_mobilenet_v2_320x320"
EFFICIENTDET = "ssd_efficientdet_d0_512x512"


def small_config(name: str, *, num_classes: int = 2, side_px: int = 64) -> PipelineConfig:
    """A model's pipeline config for square images of `side_px`; networks that are run want 129 and more."""
    config = pipeline_proto(MODELS[name])
    message = detector_message(config)
    message.num_classes = num_classes
    set_side(message.image_resizer, side_px)
    return config


def small_network(name: str, *, num_classes: int = 2, side_px: int = 64) -> Network:
    """A network of `small_config`, to train; its values are Keras's, not yet `initialise`'s."""
    return build_network(small_config(name, num_classes=num_classes, side_px=side_px), is_training=True)
