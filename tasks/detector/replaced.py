"""What a user's pipeline.config says of training, and params.yaml replaces. Imports protobuf, not TensorFlow."""

from typing import Any

from tasks.detector.pipeline_config import PipelineConfig

# Where `fill_in` takes each of the settings from.
TAKEN_FROM = {
    "num_classes": "the label map",
    "batch_size": "train.batch_size",
    "num_steps": "train.steps",
    "optimizer": "train.optimizer",
    "learning rate": "train.learning_rate, train.warmup_steps and train.decay_steps",
    "data_augmentation_options": "train.augment",
}
_FIRST, _LENGTH = (
    ("learning_rate_base", "initial_learning_rate", "learning_rate"),
    ("total_steps", "decay_steps"),
)


def settings_of(config: PipelineConfig) -> dict[str, str]:
    """Each of the settings in `TAKEN_FROM` that the file has, in words."""
    training = config.train_config
    found = {}
    if config.model.ssd.HasField("num_classes"):
        found["num_classes"] = str(config.model.ssd.num_classes)
    for key in ("batch_size", "num_steps"):
        if training.HasField(key):
            found[key] = str(getattr(training, key))
    kind = training.optimizer.WhichOneof("optimizer")
    if kind:
        found["optimizer"] = kind
        found["learning rate"] = _schedule(getattr(training.optimizer, kind).learning_rate)
    steps = [step.WhichOneof("preprocessing_step") or "none" for step in training.data_augmentation_options]
    if steps:
        found["data_augmentation_options"] = ", ".join(steps)
    return found


def _schedule(rate: Any) -> str:
    """`cosine_decay_learning_rate from 0.08 over 50000 steps`, as far as the message says so."""
    kind = rate.WhichOneof("learning_rate")
    if kind is None:
        return "of no kind"
    message = getattr(rate, kind)
    first = _value(message, _FIRST)
    length = _value(message, _LENGTH)
    return f"{kind}{f' from {first:g}' if first is not None else ''}{f' over {length} steps' if length else ''}"


def _value(message: Any, names: tuple[str, ...]) -> Any:
    return next((getattr(message, name) for name in names if name in message.DESCRIPTOR.fields_by_name), None)
