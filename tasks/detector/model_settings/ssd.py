"""The `ssd { ... }` message of a pipeline.config: what of it is refused, filled in, and without effect."""

from typing import TYPE_CHECKING

from object_detection.protos import losses_pb2, ssd_pb2

from tasks.errors import ConfigError

if TYPE_CHECKING:
    from tasks.params import ExportParams, TrainParams


def why_unsupported(model: ssd_pb2.Ssd) -> str | None:
    """The first reason why this pipeline cannot train the model; None where it can."""
    extractor = model.feature_extractor.type
    if extractor.endswith("_keras"):
        return None
    return f"feature_extractor.type is {extractor!r}; supported are those of TensorFlow 2, whose names end with _keras"


def fill_in_model(model: ssd_pb2.Ssd, train: "TrainParams", export: "ExportParams") -> None:
    """Put the values of params.yaml that are about losses and detections into the message.

    Raises:
        ConfigError: the params are of a focal loss, and the model has another.
    """
    _fill_loss(model.loss, train)
    suppression = model.post_processing.batch_non_max_suppression
    suppression.max_detections_per_class = suppression.max_total_detections = export.max_detections
    suppression.iou_threshold = export.nms_iou_threshold


def loss_settings(model: ssd_pb2.Ssd) -> dict[str, str]:
    """The settings of the losses that params.yaml replaces where it has them, in words."""
    loss = model.loss
    focal = loss.classification_loss.weighted_sigmoid_focal
    messages = {"localization_weight": (loss, "localization_weight")} | {
        f"focal {name}": (focal, name) for name in ("alpha", "gamma")
    }
    return {key: f"{getattr(own, name):g}" for key, (own, name) in messages.items() if own.HasField(name)}


def settings_without_effect(model: ssd_pb2.Ssd) -> dict[str, str]:
    """None: an SSD makes something of every param."""
    return {}


def _fill_loss(loss: losses_pb2.Loss, train: "TrainParams") -> None:
    if train.localization_weight is not None:
        loss.localization_weight = train.localization_weight
    focal = {"alpha": train.focal_alpha, "gamma": train.focal_gamma}
    for name, value in focal.items():
        if value is None:
            continue
        kind = loss.classification_loss.WhichOneof("classification_loss")
        if kind != "weighted_sigmoid_focal":
            raise ConfigError(
                f"train.focal_{name}: the model's classification_loss is {kind or 'missing'}, not a focal loss; set it "
                "to null"
            )
        setattr(loss.classification_loss.weighted_sigmoid_focal, name, value)
