"""A CenterNet whose backbone has three blocks, for what holds of any CenterNet: it is built and traced in a second.

Importing this module adds it to the OD API's feature extractors, so that a pipeline.config may name it.
"""

from typing import Any

import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.meta_architectures.center_net_meta_arch import CenterNetFeatureExtractor

from tasks.detector.model_messages import detector_message, set_side
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.model.definitions import MODELS

BLOCKS = 3
_TYPE = "three_blocks_fpn"
_CHANNELS = 8


class ThreeBlocks(CenterNetFeatureExtractor):
    """Built as the OD API's own: blocks 0 to 2 with strides 4 and 8, a layer behind them, and one upsampling step."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        images = tf.keras.Input((None, None, 3))
        stem = _layers(images, "Conv1", "bn_Conv1", stride=2)
        fine = _layers(stem, "block_1_conv", "block_1_BN", stride=2)
        coarse = _layers(fine, "block_2_conv", "block_2_BN", stride=2)
        behind = tf.keras.layers.BatchNormalization(name="post_bn")(coarse)
        self._base_model = tf.keras.Model(images, behind)
        backbone = tf.keras.Model(images, [fine, coarse])
        found = backbone(images)
        whole = tf.keras.layers.UpSampling2D(2)(tf.keras.layers.Conv2D(_CHANNELS, 1)(found[1]))
        whole = whole + tf.keras.layers.Conv2D(_CHANNELS, 1)(found[0])
        whole = tf.keras.layers.SeparableConv2D(_CHANNELS, 3, padding="same")(whole)
        # The OD API's extractors take Keras' layers from here.
        whole = tf.keras.layers.ReLU()(tf.compat.v1.keras.layers.BatchNormalization()(whole))
        self._feature_extractor_model = tf.keras.Model(images, whole)

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return (2.0 / 255.0) * super().preprocess(resized_inputs) - 1.0

    def call(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        return [self._feature_extractor_model(inputs)]

    @property
    def classification_backbone(self) -> tf.keras.Model:
        return self._base_model

    @property
    def out_stride(self) -> int:
        return 4

    @property
    def num_feature_outputs(self) -> int:
        return 1


def _layers(inputs: tf.Tensor, convolution: str, norm: str, *, stride: int) -> tf.Tensor:
    values = tf.keras.layers.Conv2D(_CHANNELS, 3, strides=stride, padding="same", use_bias=False, name=convolution)(
        inputs
    )
    return tf.keras.layers.ReLU(6.0)(tf.keras.layers.BatchNormalization(name=norm)(values))


model_builder.CENTER_NET_EXTRACTOR_FUNCTION_MAP[_TYPE] = lambda **kwargs: ThreeBlocks(
    **{name: kwargs[name] for name in ("channel_means", "channel_stds", "bgr_ordering")}
)


def toy_center_net_config(*, num_classes: int = 2, side_px: int = 64) -> PipelineConfig:
    """A pipeline config for square inputs of `side_px`, on which photos keep their proportions."""
    config = pipeline_proto(MODELS["centernet_mobilenet_v2_fpn_512x512"])
    message = detector_message(config)
    message.num_classes = num_classes
    message.feature_extractor.type = _TYPE
    message.feature_extractor.ClearField("use_separable_conv")
    for head in (
        message.object_center_params.center_head_params,
        message.object_detection_task.scale_head_params,
        message.object_detection_task.offset_head_params,
    ):
        head.num_filters.append(_CHANNELS)
        head.kernel_sizes.append(3)
    set_side(message.image_resizer, side_px)
    return config


def toy_center_net(*, num_classes: int = 2, side_px: int = 64) -> Network:
    """A network of `toy_center_net_config`, to train; its values are Keras's, not yet `initialise`'s."""
    return build_network(toy_center_net_config(num_classes=num_classes, side_px=side_px), is_training=True)
