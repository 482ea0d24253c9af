"""The OD API's SSD model, with every variable under the key that TF2 checkpoints (the zoo's too) have for it.

A key reads `model/_feature_extractor/...` and gives the component of the network that the variable belongs to. Inputs
and outputs are the OD API's: float32 images in 0..255, boxes `[ymin, xmin, ymax, xmax]` in 0..1, class ids from 0.
"""

import re
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.core import freezable_batch_norm
from object_detection.core.freezable_sync_batch_norm import FreezableSyncBatchNorm
from object_detection.utils import ops

from tasks.errors import ConfigError

BACKBONE, FEATURE_MAPS, TOWER, BOX_HEAD, CLASS_HEAD = "backbone", "feature_maps", "tower", "box_head", "class_head"
COMPONENTS = (BACKBONE, FEATURE_MAPS, TOWER, BOX_HEAD, CLASS_HEAD)

# The block number of a backbone layer, from its name in the OD API's Keras backbones.
_BLOCK_NAMES = (
    (re.compile(r"(?:bn_)?Conv1[_/]|expanded_conv_"), 0),  # MobileNet V2: stem, and its block without a number
    (re.compile(r"block_(\d+)_"), None),
    (re.compile(r"Conv_1[_/]"), 17),
    (re.compile(r"conv1[_/]"), 0),  # MobileNet V1's Conv2d_0, ResNet's stem
    (re.compile(r"conv_(?:dw|pw)_(\d+)"), None),
    (re.compile(r"conv(\d+)_block\d+_"), -1),  # ResNet counts its stages from conv2
)


@dataclass(frozen=True)
class Network:
    """A built model.

    Attributes:
        model: the OD API's `SSDMetaArch`, its variables created.
        variables: every variable by its checkpoint key.
        height, width: input size in pixels.
        num_classes: classes without background.
    """

    model: Any
    variables: dict[str, tf.Variable]
    height: int
    width: int
    num_classes: int

    @property
    def backbone(self) -> tf.keras.Model:
        """The Keras model up to the feature maps that the FPN or the extra layers start from."""
        return self.model.feature_extractor.classification_backbone

    def forward(self, images: tf.Tensor, *, training: bool) -> dict[str, tf.Tensor]:
        """Raw predictions for float32 `(B, height, width, 3)` images in 0..255; call it inside a `tf.function`."""
        set_learning_phase(training=training)
        return as_float32(self.model.predict(self.model.feature_extractor.preprocess(images), self.shapes(images)))

    def shapes(self, batch: tf.Tensor) -> tf.Tensor:
        """int32 `(B, 3)` image shapes without padding, B as of `batch`: images are resized and never padded."""
        return tf.tile([[self.height, self.width, 3]], [tf.shape(batch)[0], 1])


def as_float32(predictions: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Predictions in float32, which the loss and the decoding of boxes need, from layers of any precision."""
    cast: dict[str, tf.Tensor] = ops.bfloat16_to_float32_nested(predictions)
    return cast


def build_network(pipeline_config: Any, *, is_training: bool, synchronised: bool = False) -> Network:
    """The model of a `pipeline_pb2.TrainEvalPipelineConfig`, with its variables created.

    `synchronised`: BatchNorm takes its statistics over all replicas of the strategy in whose scope this is called.

    Raises:
        ConfigError: the model is not one that the pipeline can train.
    """
    ssd = pipeline_config.model.ssd
    size = ssd.image_resizer.fixed_shape_resizer
    if not size.height or not size.width:
        raise ConfigError("pipeline.config: the image_resizer must be a fixed_shape_resizer with a height and a width")
    # `sync_batch_norm` in the config would reach the feature extractor only, and give the tower's layers a bias.
    kind = FreezableSyncBatchNorm if synchronised else freezable_batch_norm.FreezableBatchNorm
    with patched(freezable_batch_norm, "FreezableBatchNorm", kind):
        try:
            model = model_builder.build(pipeline_config.model, is_training=is_training)
        except ValueError as error:
            raise ConfigError(f"pipeline.config: the OD API cannot build this model: {error}") from error
        network = Network(model, {}, size.height, size.width, ssd.num_classes)
        # Keras creates layers and variables at the first call; tracing it computes nothing.
        predict = tf.function(lambda images: network.forward(images, training=False)["box_encodings"], autograph=False)
        predict.get_concrete_function(tf.TensorSpec([1, size.height, size.width, 3], tf.float32))
    network.variables.update(checkpoint_keys(tf.train.Checkpoint(model=model)))
    return network


def set_learning_phase(*, training: bool) -> None:
    """Set how layers that are traced from now on behave; without a call, all of them run in inference mode."""
    with warnings.catch_warnings():
        # Deprecated, but the only switch that the OD API's layers obey.
        warnings.filterwarnings("ignore", message=".*set_learning_phase", category=UserWarning)
        tf.keras.backend.set_learning_phase(1 if training else 0)


@contextmanager
def patched(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """Within it, `owner.name` is `replacement`; a Keras object does not track the replacement."""
    put = object.__setattr__ if isinstance(owner, tf.Module) else setattr
    original = getattr(owner, name)
    put(owner, name, replacement)
    try:
        yield
    finally:
        put(owner, name, original)


def checkpoint_keys(root: tf.train.Checkpoint) -> dict[str, tf.Variable]:
    """Every variable below `root` by the key that `root.write` gives it, without the `.ATTRIBUTES` suffix.

    TensorFlow names a variable by its shortest path from the root, breadth first (`tf.train.TrackableView` walks the
    same graph), with `.` and `/` in a name written as `..` and `.S`.
    """
    view = tf.train.TrackableView(root)
    paths: dict[int, tuple[str, ...]] = {id(root): ()}
    queue = deque([root])
    variables = {}
    while queue:
        parent = queue.popleft()
        for name, child in view.children(parent).items():
            if id(child) in paths:
                continue
            paths[id(child)] = (*paths[id(parent)], name.replace(".", "..").replace("/", ".S"))
            if isinstance(child, tf.Variable):
                variables["/".join(paths[id(child)])] = child
            queue.append(child)
    return variables


def readable_name(key: str, variable: tf.Variable) -> str:
    """A variable's component and its own name: `backbone/block_1_expand/kernel`."""
    return f"{component_of(key)}/{variable.name.removesuffix(':0')}"


def component_of(key: str) -> str:
    """Which of `COMPONENTS` a variable belongs to."""
    if "/classification_backbone/" in key:
        return BACKBONE
    if "/_feature_extractor/" in key:
        return FEATURE_MAPS
    # The key of a separate tower before the class head has that name too, below _base_tower_layers_for_heads.
    if "/_prediction_heads/class_predictions_with_background/" in key:
        return CLASS_HEAD
    if "/_box_prediction_head/" in key or "/_prediction_heads/box_encodings/" in key:
        return BOX_HEAD
    return TOWER


def block_of(variable_name: str) -> int:
    """The backbone block a variable belongs to, counted from 0 at the image.

    MobileNet V1 counts Conv2d_0..13, MobileNet V2 expanded_conv (with the stem) and block_1..16, ResNet its stem and
    stages conv2..conv5.

    Raises:
        ConfigError: no backbone of the OD API has a variable of that name.
    """
    for pattern, block in _BLOCK_NAMES:
        match = pattern.match(variable_name)
        if match:
            if not match.groups():
                return int(block or 0)
            return int(match.group(1)) + (block or 0)
    raise ConfigError(
        f"backbone variable {variable_name} belongs to no known block: freeze `backbone` or `none` instead"
    )
