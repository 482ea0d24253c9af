"""The training settings in a user's pipeline.config that params.yaml overrides. Imports protobuf, not TensorFlow."""

from typing import Any

from tasks.detector.center_net_proto import center_net_settings
from tasks.detector.model_messages import detector_message, meta_architecture
from tasks.detector.pipeline_config import PipelineConfig

# Where `fill_in` takes each of the settings from instead.
OVERRIDDEN_BY = {
    "num_classes": "the label map",
    "batch_size": "train.batch_size",
    "num_steps": "train.steps",
    "optimizer": "train.optimizer",
    "learning rate": "train.learning_rate, train.warmup_steps and train.decay_steps",
    "data_augmentation_options": "train.augment",
    "localization_weight": "train.localization_weight",
    "focal alpha": "train.focal_alpha",
    "focal gamma": "train.focal_gamma",
}
_FIRST, _LENGTH = (
    ("learning_rate_base", "initial_learning_rate", "learning_rate"),
    ("total_steps", "decay_steps"),
)


def overridden_settings(config: PipelineConfig) -> dict[str, str]:
    """Each of the settings in `OVERRIDDEN_BY` that the file has, in words."""
    training = config.train_config
    settings = {}
    model = detector_message(config)
    if model.HasField("num_classes"):
        settings["num_classes"] = str(model.num_classes)
    for key in ("batch_size", "num_steps"):
        if training.HasField(key):
            settings[key] = str(getattr(training, key))
    kind = training.optimizer.WhichOneof("optimizer")
    if kind:
        settings["optimizer"] = kind
        settings["learning rate"] = _schedule(getattr(training.optimizer, kind).learning_rate)
    steps = [step.WhichOneof("preprocessing_step") or "none" for step in training.data_augmentation_options]
    if steps:
        settings["data_augmentation_options"] = ", ".join(steps)
    if meta_architecture(config) == "center_net":
        return settings | center_net_settings(model)
    return settings | _loss_settings(model.loss)


def _loss_settings(loss: Any) -> dict[str, str]:
    focal = loss.classification_loss.weighted_sigmoid_focal
    messages = {"localization_weight": (loss, "localization_weight")} | {
        f"focal {name}": (focal, name) for name in ("alpha", "gamma")
    }
    return {key: f"{getattr(own, name):g}" for key, (own, name) in messages.items() if own.HasField(name)}


def _schedule(rate: Any) -> str:
    """`cosine_decay_learning_rate from 0.08 over 50000 steps`, as far as the message has these fields."""
    kind = rate.WhichOneof("learning_rate")
    if kind is None:
        return "of no kind"
    message = getattr(rate, kind)
    first = _value(message, _FIRST)
    length = _value(message, _LENGTH)
    return f"{kind}{f' from {first:g}' if first is not None else ''}{f' over {length} steps' if length else ''}"


def _value(message: Any, names: tuple[str, ...]) -> Any:
    return next((getattr(message, name) for name in names if name in message.DESCRIPTOR.fields_by_name), None)
