"""A Faster R-CNN whose backbone has three blocks up to conv4: it is built in a second, and traced in some more.

Importing this module adds it to the OD API's feature extractors, so that a pipeline.config may name it.
"""

from typing import Any

import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.core import freezable_batch_norm
from object_detection.meta_architectures.faster_rcnn_meta_arch import FasterRCNNKerasFeatureExtractor

from tasks.detector.model_messages import set_side
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.model.definitions import MODELS

MODEL = "faster_rcnn_resnet50_v1_640x640"
BLOCKS = 3
PROPOSALS = 20
_TYPE = "faster_rcnn_three_blocks_keras"
_CHANNELS = 8


class ThreeBlocks(FasterRCNNKerasFeatureExtractor):
    """Blocks 0 to 2, named as ResNet names its own, with a stride of 16, and a block for the second stage."""

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return resized_inputs - [[[123.68, 116.779, 103.939]]]

    def get_proposal_feature_extractor_model(self, name: str) -> tf.keras.Model:
        images = tf.keras.Input((None, None, 3))
        values = self._block(images, "conv1", stride=4)
        values = self._block(values, "conv2_block1_1", stride=2)
        return tf.keras.Model(images, self._block(values, "conv3_block1_1", stride=2))

    def get_box_classifier_feature_extractor_model(self, name: str) -> tf.keras.Model:
        crops = tf.keras.Input((None, None, _CHANNELS))
        return tf.keras.Model(crops, self._block(crops, "conv5_block1_1", stride=2))

    def _block(self, inputs: tf.Tensor, name: str, *, stride: int) -> tf.Tensor:
        values = tf.keras.layers.Conv2D(_CHANNELS, 3, strides=stride, padding="same", name=f"{name}_conv")(inputs)
        norm = freezable_batch_norm.FreezableBatchNorm(training=self._train_batch_norm, name=f"{name}_bn")
        return tf.keras.layers.ReLU()(norm(values))


model_builder.FASTER_RCNN_KERAS_FEATURE_EXTRACTOR_CLASS_MAP[_TYPE] = ThreeBlocks


def toy_config(*, side_px: int = 64, num_classes: int = 2, **settings: Any) -> PipelineConfig:
    """A pipeline config for squares of `side_px`, with other `settings` of the model's message."""
    config = pipeline_proto(MODELS[MODEL])
    model = config.model.faster_rcnn
    model.num_classes = num_classes
    set_side(model.image_resizer, side_px)
    model.feature_extractor.type = _TYPE
    anchors = model.first_stage_anchor_generator.grid_anchor_generator
    anchors.height = anchors.width = 32
    model.first_stage_box_predictor_depth = _CHANNELS
    model.first_stage_max_proposals, model.second_stage_batch_size, model.first_stage_minibatch_size = PROPOSALS, 8, 32
    model.initial_crop_size = 4
    for name, value in settings.items():
        setattr(model, name, value)
    return config


def dynamic_config(**settings: Any) -> PipelineConfig:
    """As the zoo's model of 800 x 1333 px: anchors beyond the image are pruned, and each class has its own boxes."""
    switches = (
        "use_static_shapes",
        "use_matmul_crop_and_resize",
        "clip_anchors_to_image",
        "use_static_balanced_label_sampler",
        "use_matmul_gather_in_matcher",
    )
    config = toy_config(**dict.fromkeys(switches, False), **settings)
    config.model.faster_rcnn.second_stage_box_predictor.mask_rcnn_box_predictor.share_box_across_classes = False
    return config


def toy_faster_rcnn(config: PipelineConfig | None = None) -> Network:
    """A network of `config`, else of `toy_config`, to train; its values are Keras's, not yet `initialise`'s."""
    return build_network(config or toy_config(), is_training=True)
