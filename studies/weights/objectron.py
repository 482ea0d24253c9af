"""Objectron's detector as the OD API wants it: in its TFLite file, each BatchNorm is folded into its convolution."""

import re
from collections.abc import Mapping
from pathlib import Path

from studies.objectron import split_assets
from studies.weights.folded import Arrays, identity_batch_norm
from studies.weights.tflite_convolutions import Convolution, read_convolutions
from tasks.errors import CheckpointError

_BACKBONE = "FeatureExtractor/MobilenetV2/"
# A layer's name in TensorFlow 1, below the backbone -> its convolution and its BatchNorm in Keras.
_BACKBONE_LAYERS = (
    (re.compile(r"Conv"), "Conv1", "bn_Conv1"),
    (re.compile(r"Conv_1"), "Conv_1", "Conv_1_bn"),
    (re.compile(r"expanded_conv/(depthwise|project)"), r"expanded_conv_\1", r"expanded_conv_\1_BN"),
    (re.compile(r"expanded_conv_(\d+)/(expand|depthwise|project)"), r"block_\1_\2", r"block_\1_\2_BN"),
    (re.compile(r"(layer_19_\w+)"), r"FeatureMaps/\1_conv", r"FeatureMaps/\1_batchnorm"),
)
_HEAD = re.compile(r"BoxPredictor_(\d)/(Box|Class)(EncodingPredictor|Predictor)")


def read_objectron(file: Path) -> tuple[tuple[str, ...], Arrays]:
    """The names of the classes, and `<keras layer>/<weight>` -> float32 array for `ssd_mobilenet_v2_320x320`.

    Raises:
        CheckpointError: the file is not Objectron's, or damaged.
    """
    classes, model = split_assets(file)
    try:
        return classes, to_od_api(read_convolutions(model))
    except CheckpointError as error:
        raise CheckpointError(f"{file}: after the names of classes: {error}; get it again") from error


def to_od_api(convolutions: Mapping[str, Convolution]) -> Arrays:
    """The weights under the names of the OD API's Keras model; a BatchNorm adds the folded bias and does nothing else.

    Raises:
        CheckpointError: a layer is not one of SSD MobileNet V2.
    """
    arrays: Arrays = {}
    for name, layer in convolutions.items():
        if head := _HEAD.fullmatch(name):
            number, kind, predictor = head.groups()
            keras = f"BoxPredictor/Convolutional{kind}Head_{number}/{kind}{predictor}"
            arrays |= {f"{keras}/kernel": layer.kernel, f"{keras}/bias": layer.bias}
            continue
        convolution, batch_norm = _keras_names(name)
        kind = "depthwise_kernel" if layer.depthwise else "kernel"
        arrays[f"{convolution}/{kind}"] = layer.kernel
        arrays |= {f"{batch_norm}/{key}": value for key, value in identity_batch_norm(layer.bias).items()}
    return arrays


def _keras_names(name: str) -> tuple[str, str]:
    for pattern, convolution, batch_norm in _BACKBONE_LAYERS:
        if match := pattern.fullmatch(name.removeprefix(_BACKBONE)):
            return match.expand(convolution), match.expand(batch_norm)
    raise CheckpointError(f"the layer {name:.80} is none of SSD MobileNet V2")
