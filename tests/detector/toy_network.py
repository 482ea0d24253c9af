"""An SSD detector whose backbone has three blocks, for what holds of any network: it is built and traced in a second.

Importing this module adds it to the OD API's feature extractors, so that a pipeline.config may name it.
"""

from typing import Any

import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.meta_architectures.ssd_meta_arch import SSDKerasFeatureExtractor
from object_detection.utils import ops

from tasks.detector.model_messages import keep_proportions
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.model.definitions import MODELS

BLOCKS = 3
ON_PIXELS = "three_blocks_on_pixels_keras"
_TYPE = "three_blocks_keras"
_WIDER = "three_wider_blocks_keras"
_STEM_STRIDE = 4
_CHANNELS = 8
# The backbone's last two blocks have the strides 8 and 16.
_LEVELS = (3, 4)


class ThreeBlocks(SSDKerasFeatureExtractor):
    """Blocks 0 to 2, named as MobileNet V2 names its own, and a layer of feature maps after each of the last two."""

    _stem_side = 3

    def build(self, input_shape: Any) -> None:
        images = tf.keras.Input((None, None, 3))
        stem = self._layers(images, "Conv1", "bn_Conv1", stride=_STEM_STRIDE)
        first = self._layers(stem, "block_1_conv", "block_1_BN", stride=2)
        second = self._layers(first, "block_2_conv", "block_2_BN", stride=2)
        self.classification_backbone = tf.keras.Model(images, [first, second])
        self._map_layers = [
            tf.keras.layers.Conv2D(_CHANNELS, 1, name=f"map_{level}", **self._conv_hyperparams.params())
            for level in _LEVELS
        ]
        self.built = True

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return (2.0 / 255.0) * resized_inputs - 1.0

    def _extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        found = self.classification_backbone(ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple))
        return [layer(found[index]) for index, layer in enumerate(self._map_layers)]

    def _layers(self, inputs: tf.Tensor, convolution: str, norm: str, *, stride: int) -> tf.Tensor:
        hyperparams = self._conv_hyperparams
        values = tf.keras.layers.Conv2D(
            _CHANNELS,
            self._stem_side if stride == _STEM_STRIDE else 3,
            strides=stride,
            padding="same",
            name=convolution,
            **hyperparams.params(),
        )(inputs)
        values = hyperparams.build_batch_norm(training=self._is_training and not self._freeze_batchnorm, name=norm)(
            values
        )
        return tf.keras.layers.ReLU(6.0)(values)


class ThreeBlocksOnPixels(ThreeBlocks):
    """The same, which takes pixels as the OD API's ResNets do: without the mean of each channel, and not scaled."""

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return resized_inputs - [[[123.68, 116.779, 103.939]]]


class ThreeWiderBlocks(ThreeBlocks):
    """The same with a stem that is wider than its stride: of narrower ones TFLite's XNNPACK gives one answer to all."""

    _stem_side = 5


model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP[_TYPE] = ThreeBlocks
model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP[_WIDER] = ThreeWiderBlocks
model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP[ON_PIXELS] = ThreeBlocksOnPixels


def toy_config(*, side_px: int = 64, keeps_proportions: bool = False) -> PipelineConfig:
    """A pipeline config of two classes for square images of `side_px`."""
    config = pipeline_proto(MODELS["ssd_mobilenet_v2_fpnlite_320x320"])
    ssd = config.model.ssd
    ssd.num_classes = 2
    if keeps_proportions:
        keep_proportions(ssd.image_resizer, side_px)
    else:
        ssd.image_resizer.fixed_shape_resizer.height = ssd.image_resizer.fixed_shape_resizer.width = side_px
    ssd.feature_extractor.type = _WIDER if keeps_proportions else _TYPE
    ssd.feature_extractor.ClearField("fpn")
    anchors = ssd.anchor_generator.multiscale_anchor_generator
    anchors.min_level, anchors.max_level = _LEVELS
    predictor = ssd.box_predictor.weight_shared_convolutional_box_predictor
    predictor.depth, predictor.num_layers_before_predictor = _CHANNELS, 1
    return config


def toy_network(*, side_px: int = 64) -> Network:
    """A network of `toy_config`, to train; its values are Keras's, not yet `initialise`'s."""
    return build_network(toy_config(side_px=side_px), is_training=True)
