"""A Faster R-CNN with the OD API's own FPN on a ResNet of one layer a stage: it is built and traced in some seconds.

Importing this module adds it to the OD API's feature extractors, so that a pipeline.config may name it.
"""

from typing import Any

import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.core import freezable_batch_norm
from object_detection.models.faster_rcnn_resnet_v1_fpn_keras_feature_extractor import (
    FasterRCNNResnetV1FpnKerasFeatureExtractor,
)

from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tests.detector import toy_faster_rcnn
from tests.detector.zoo_fpn import zoo_fpn_config

BLOCKS = 5
LEVELS = (2, 6)
_TYPE = "faster_rcnn_five_blocks_fpn_keras"
_CHANNELS = 8
# The last layer of each stage, by the names that the OD API looks for in a ResNet-50; each halves the sides once more.
_STAGES = ("conv2_block3", "conv3_block4", "conv4_block6", "conv5_block3")


class FiveBlocksFpn(FasterRCNNResnetV1FpnKerasFeatureExtractor):
    """Block 0 and a block a stage, named as ResNet names its own, below the OD API's FPN."""

    def __init__(
        self, is_training: bool, stride: int, batch_norm_trainable: bool, conv_hyperparams: Any, **settings: Any
    ) -> None:
        super().__init__(
            is_training,
            _five_blocks,
            "resnet_v1_50",
            stride,
            conv_hyperparams,
            batch_norm_trainable=batch_norm_trainable,
            **settings,
        )


def _five_blocks(batchnorm_training: bool, conv_hyperparams: Any, **_: Any) -> tf.keras.Model:
    def block(values: tf.Tensor, name: str) -> tf.Tensor:
        convolution = tf.keras.layers.Conv2D(_CHANNELS, 3, strides=2, padding="same", name=f"{name}_1_conv")
        norm = freezable_batch_norm.FreezableBatchNorm(training=batchnorm_training, name=f"{name}_1_bn")
        return tf.keras.layers.ReLU(name=f"{name}_out")(norm(convolution(values)))

    images = tf.keras.Input((None, None, 3))
    values = block(images, "conv1")
    for stage in _STAGES:
        values = block(values, stage)
    return tf.keras.Model(images, values)


model_builder.FASTER_RCNN_KERAS_FEATURE_EXTRACTOR_CLASS_MAP[_TYPE] = FiveBlocksFpn


def toy_config(*, levels: tuple[int, int] = LEVELS, **settings: Any) -> PipelineConfig:
    """`toy_faster_rcnn.toy_config` with an FPN of these levels."""
    return _with_fpn(toy_faster_rcnn.toy_config(**settings), levels)


def dynamic_config(*, levels: tuple[int, int] = LEVELS, **settings: Any) -> PipelineConfig:
    """`toy_faster_rcnn.dynamic_config` with an FPN of these levels."""
    return _with_fpn(toy_faster_rcnn.dynamic_config(**settings), levels)


def toy_fpn(config: PipelineConfig | None = None) -> Network:
    """A network of `config`, else of `toy_config`, to train; its values are Keras's, not yet `initialise`'s."""
    return build_network(config or toy_config(), is_training=True)


def _with_fpn(config: PipelineConfig, levels: tuple[int, int]) -> PipelineConfig:
    model, zoo = config.model.faster_rcnn, zoo_fpn_config().model.faster_rcnn
    model.feature_extractor.CopyFrom(zoo.feature_extractor)
    model.feature_extractor.type = _TYPE
    model.feature_extractor.fpn.additional_layer_depth = _CHANNELS
    model.first_stage_anchor_generator.CopyFrom(zoo.first_stage_anchor_generator)
    for message in (model.feature_extractor.fpn, model.first_stage_anchor_generator.multiscale_anchor_generator):
        message.min_level, message.max_level = levels
    return config
