"""The stock training step, `model_lib_v2.eager_train_step`, without weight decay."""

import tensorflow as tf

from bench.stock_fixes import fix_stock_loop
from tasks.detector.network import Network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.training.examples import Batch


class StockLoop:
    """The stock loop, batch by batch.

    Attributes:
        network: what it trains.
    """

    def __init__(self, network: Network, config: PipelineConfig, seed: int) -> None:
        """Train `network` with the config's optimizer; what it samples comes from `seed` and the step."""
        fix_stock_loop()
        from object_detection.builders import optimizer_builder  # noqa: PLC0415 - cannot be imported before the fix

        self.network, self._seed = network, seed
        self._steps = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._optimizer, _ = optimizer_builder.build(config.train_config.optimizer, global_step=self._steps)
        self._clip_norm = config.train_config.gradient_clipping_by_norm
        self._traced = tf.function(self._one_step, autograph=False)

    def step(self, batch: Batch) -> float:
        """One step; returns its total loss."""
        features = {"image": self.network.architecture.preprocess(batch.images), "true_image_shape": batch.shapes}
        labels = {
            "groundtruth_boxes": batch.boxes,
            "groundtruth_classes": tf.one_hot(batch.classes, self.network.num_classes) * batch.weights[..., tf.newaxis],
            "groundtruth_weights": batch.weights,
            "num_groundtruth_boxes": tf.cast(tf.reduce_sum(batch.weights, axis=1), tf.int32),
        }
        return float(self._traced(features, labels))

    def _one_step(self, features: dict[str, tf.Tensor], labels: dict[str, tf.Tensor]) -> tf.Tensor:
        from object_detection import model_lib_v2  # noqa: PLC0415

        # A second stage draws the proposals that it learns from: both sides draw the same.
        with self.network.architecture.seeded(self._seed, self._steps):
            losses = model_lib_v2.eager_train_step(
                self.network.model,
                features,
                labels,
                unpad_groundtruth_tensors=False,
                optimizer=self._optimizer,
                training_step=self._steps,
                add_regularization_loss=False,
                clip_gradients_value=self._clip_norm,
            )
        self._steps.assign_add(1)
        return losses["Loss/total_loss"]
