"""What the pipeline asks of a meta-architecture."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, NamedTuple

import tensorflow as tf

from tasks.model.variants import Runtime

Predictions = dict[str, tf.Tensor]


class Losses(NamedTuple):
    """The addends of a training step's loss, float32 scalars.

    Attributes:
        classification: of whether an object is there, and which.
        localization: of where it is.
        matches: what the model divided them by: matched anchors, or images; None where that is not known.
    """

    classification: tf.Tensor
    localization: tf.Tensor
    matches: tf.Tensor | None


class Architecture(ABC):
    """One built model of the OD API.

    Attributes:
        model: the OD API's `DetectionModel`.
        class_bias: the first bias of a class head that no checkpoint filled.
        has_batchnorm_decay: whether pipeline.config has the decay of every BatchNorm layer of the OD API's own class.
        unavailable: why there is no exported form for a runtime, by the runtime.
        predicts_with_groundtruth: whether what it predicts in training depends on the boxes that it was given.
    """

    # An object is predicted at every anchor with probability 0.01 (RetinaNet, arXiv:1708.02002, section 4.1).
    class_bias: ClassVar[float] = math.log(0.01 / 0.99)
    has_batchnorm_decay: ClassVar[bool] = True
    unavailable: ClassVar[Mapping[Runtime, str]] = {}
    predicts_with_groundtruth: ClassVar[bool] = False

    @staticmethod
    def building() -> AbstractContextManager[None]:
        """Within it, the OD API builds models as training needs them."""
        return nullcontext()

    def __init__(self, model: Any) -> None:
        """Of a built model."""
        self.model = model

    @abstractmethod
    def component_of(self, key: str) -> str:
        """Which of `components.COMPONENTS` the variable with this checkpoint key belongs to."""

    @abstractmethod
    def is_unused(self, key: str) -> bool:
        """Whether nothing that is predicted depends on the variable, which the model has all the same."""

    def has_boxes_by_class(self, key: str) -> bool:
        """Whether a variable of the class head has rows for the boxes of each class, in place of their scores."""
        return False

    @property
    @abstractmethod
    def has_background_class(self) -> bool:
        """Whether row 0 of the class head is that of the background."""

    @property
    @abstractmethod
    def backbone(self) -> tf.keras.Model | None:
        """The functional Keras model that the network begins with, from the preprocessed image on; None: it has none.

        Then no part of the extractor can be computed alone.
        """

    @abstractmethod
    def preprocess(self, images: tf.Tensor) -> tf.Tensor:
        """Images `(B, height, width, 3)` in 0..255 as the feature extractor takes them."""

    @abstractmethod
    def backbone_input(self, preprocessed: tf.Tensor) -> tf.Tensor:
        """Preprocessed images as the extractor hands them to the backbone."""

    @abstractmethod
    def with_backbone(self, outputs: Callable[[tf.Tensor], Any]) -> AbstractContextManager[None]:
        """Within it, `outputs` takes the backbone's place: it gets its input and gives a sequence of its outputs."""

    @abstractmethod
    def features(self, preprocessed: tf.Tensor) -> Sequence[tf.Tensor]:
        """All that the feature extractor gives."""

    @abstractmethod
    def with_features(self, features: Sequence[tf.Tensor]) -> AbstractContextManager[None]:
        """Within it, the feature extractor gives these."""

    def inference(self) -> AbstractContextManager[None]:
        """Within it, `predict` and `postprocess` of a model that is built to train do what an exported one does."""
        return nullcontext()

    def seeded(self, seed: int, step: tf.Tensor) -> AbstractContextManager[None]:
        """Within it, what the model draws by chance is traced as a function of `seed` and `step`, an integer scalar."""
        return nullcontext()

    @abstractmethod
    def losses(self, predictions: Predictions, shapes: tf.Tensor) -> Losses:
        """Of predictions of `predict`, called after `provide_groundtruth`; `shapes` int32 `(B, 3)` as in `Batch`."""

    def postprocess(self, predictions: Predictions, shapes: tf.Tensor | None) -> Predictions:
        """Detections as the OD API's `postprocess` gives them, float32, classes from 0, boxes in 0..1 of the photo.

        `shapes` is as in `losses`; None: images fill the canvas.
        """
        detections: Predictions = self.model.postprocess(predictions, shapes)
        return detections
