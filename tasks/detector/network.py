"""A built model of the OD API, with every variable under the key that TF2 checkpoints (the zoo's too) have for it.

A key reads `model/_feature_extractor/...` and gives the component of the network that the variable belongs to. Inputs
and outputs are the OD API's: float32 images in 0..255, boxes `[ymin, xmin, ymax, xmax]` in 0..1, class ids from 0.
"""

import warnings
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.core import freezable_batch_norm
from object_detection.core.freezable_sync_batch_norm import FreezableSyncBatchNorm
from object_detection.utils import ops

from tasks.detector.architectures.architecture import Architecture
from tasks.detector.architectures.center_net import CenterNet
from tasks.detector.architectures.components import BACKBONE
from tasks.detector.architectures.faster_rcnn import FasterRcnn
from tasks.detector.architectures.faster_rcnn_fpn import FasterRcnnFpn
from tasks.detector.architectures.ssd import Ssd
from tasks.detector.blocks import block_of
from tasks.detector.canvas import whole_canvas
from tasks.detector.model_messages import canvas_resizer, detector_message, meta_architecture
from tasks.detector.model_settings.faster_rcnn_fpn import has_fpn
from tasks.detector.patching import patched
from tasks.errors import ConfigError
from tasks.model.resizer import Resizer

_ARCHITECTURES: dict[str, type[Architecture]] = {"ssd": Ssd, "center_net": CenterNet, "faster_rcnn": FasterRcnn}


@dataclass(frozen=True)
class Network:
    """A built model.

    Attributes:
        architecture: of the OD API's model, which it holds.
        variables: every variable that predictions depend on, by its checkpoint key.
        resizer: how an image comes on the canvas.
        num_classes: classes without background.
    """

    architecture: Architecture
    variables: dict[str, tf.Variable]
    resizer: Resizer
    num_classes: int

    @property
    def model(self) -> Any:
        """The OD API's `DetectionModel`, its variables created."""
        return self.architecture.model

    @property
    def height(self) -> int:
        """Of the input, in pixels."""
        return self.resizer.canvas[0]

    @property
    def width(self) -> int:
        """Of the input, in pixels."""
        return self.resizer.canvas[1]

    def forward(self, images: tf.Tensor, shapes: tf.Tensor | None = None, *, training: bool) -> dict[str, tf.Tensor]:
        """Raw predictions for float32 `(B, height, width, 3)` images in 0..255; fast in a `tf.function`.

        `shapes` is int32 `(B, 3)`, what each takes of the canvas; None: all of it. In `training`, the model must have
        been given the images' groundtruth.
        """
        return self.predict(self.architecture.preprocess(images), shapes, training=training)

    def predict(
        self, preprocessed: tf.Tensor, shapes: tf.Tensor | None = None, *, training: bool
    ) -> dict[str, tf.Tensor]:
        """As `forward`, from what the architecture's `preprocess` gives."""
        set_learning_phase(training=training)
        shapes = self.whole_shapes(preprocessed) if shapes is None else shapes
        with nullcontext() if training else self.architecture.inference():
            return as_float32(self.model.predict(preprocessed, shapes))

    def detections(self, predictions: dict[str, tf.Tensor], shapes: tf.Tensor) -> dict[str, tf.Tensor]:
        """The OD API's detections in each image, boxes relative to the image, of predictions without training."""
        with self.architecture.inference():
            return self.architecture.postprocess(predictions, shapes)

    def whole_shapes(self, batch: tf.Tensor) -> tf.Tensor:
        """int32 `(B, 3)` shapes of images that fill the canvas, B as of `batch`."""
        return tf.tile([whole_canvas(self.resizer)], [tf.shape(batch)[0], 1])

    def component_of(self, key: str) -> str:
        """Which of `COMPONENTS` the variable under `key` belongs to."""
        return self.architecture.component_of(key)

    def keys_of(self, *components: str) -> set[str]:
        """The keys of the variables of these components."""
        return {key for key in self.variables if self.component_of(key) in components}

    def readable_name(self, key: str) -> str:
        """A variable's component and its own name: `backbone/block_1_expand/kernel`."""
        return f"{self.component_of(key)}/{self.variables[key].name.removesuffix(':0')}"

    def blocks(self) -> dict[str, int]:
        """The block of every variable of the backbone, by key.

        Raises:
            ConfigError: they are not known of this backbone.
        """
        return {key: block_of(self.variables[key].name) for key in sorted(self.keys_of(BACKBONE))}


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
    message = detector_message(pipeline_config)
    resizer = canvas_resizer(pipeline_config)
    # `sync_batch_norm` in the config would reach the feature extractor only, and give the tower's layers a bias.
    kind = FreezableSyncBatchNorm if synchronised else freezable_batch_norm.FreezableBatchNorm
    kind_of_model = _architecture(pipeline_config)
    with patched(freezable_batch_norm, "FreezableBatchNorm", kind), kind_of_model.building():
        try:
            model = model_builder.build(pipeline_config.model, is_training=is_training)
        except ValueError as error:
            raise ConfigError(f"pipeline.config: the OD API cannot build this model: {error}") from error
        architecture = kind_of_model(model)
        network = Network(architecture, {}, resizer, message.num_classes)
        # Keras creates layers and variables at the first call. Tracing, which TensorFlow would do twice, takes longer
        # than computing for a MobileNet or an EfficientNet, and about as long for a ResNet at 640 pixels.
        network.forward(tf.zeros([1, *resizer.canvas, 3]), training=False)
    variables = checkpoint_keys(tf.train.Checkpoint(model=model))
    network.variables.update({key: each for key, each in variables.items() if not architecture.is_unused(key)})
    return network


def _architecture(pipeline_config: Any) -> type[Architecture]:
    kind = meta_architecture(pipeline_config)
    if kind == "faster_rcnn" and has_fpn(detector_message(pipeline_config)):
        return FasterRcnnFpn
    return _ARCHITECTURES[kind]


def set_learning_phase(*, training: bool) -> None:
    """Set how layers that are traced from now on behave; without a call, all of them run in inference mode."""
    with warnings.catch_warnings():
        # Deprecated, but the only switch that the OD API's layers obey.
        warnings.filterwarnings("ignore", message=".*set_learning_phase", category=UserWarning)
        tf.keras.backend.set_learning_phase(1 if training else 0)


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
