"""The training settings in a user's pipeline.config that params.yaml overrides. Imports protobuf, not TensorFlow."""

from typing import Any

from tasks.detector.model_messages import detector_message, meta_architecture
from tasks.detector.model_settings.kinds import KINDS
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
    model, training = detector_message(config), config.train_config
    settings = {}
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
    return settings | KINDS[meta_architecture(config)].loss_settings(model)


def settings_without_effect(config: PipelineConfig) -> dict[str, str]:
    """The params that the model makes nothing of, and why."""
    return KINDS[meta_architecture(config)].settings_without_effect(detector_message(config))


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
