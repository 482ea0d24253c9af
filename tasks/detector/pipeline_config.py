"""pipeline.config: read, filled in from params.yaml, checked, written. Imports protobuf, not TensorFlow.

One rule: where params.yaml and the file both set a value, that of params.yaml wins; the rest of the file is unchanged.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from google.protobuf import text_format
from object_detection.protos import optimizer_pb2, pipeline_pb2, preprocessor_pb2, train_pb2

from tasks.detector.model_messages import detector_message, meta_architecture
from tasks.detector.model_settings.kinds import KINDS
from tasks.errors import ConfigError
from tasks.ground.files import replacing
from tasks.ground.text import shortened
from tasks.model.label_map import LABEL_MAP
from tasks.model.schedule import decay_end_step

if TYPE_CHECKING:
    from tasks.params import AugmentParams, ExportParams, TrainParams

# Of a parser's message, which quotes the line.
_LONGEST = 300
PipelineConfig: TypeAlias = pipeline_pb2.TrainEvalPipelineConfig


def read_pipeline_config(path: Path) -> PipelineConfig:
    """The message in a pipeline.config.

    Raises:
        ConfigError: the file is missing, or is no pipeline.config; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; the configure stage writes it (dvc repro configure)") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text file ({error}); a pipeline.config is protobuf text") from error
    try:
        return text_format.Parse(text, PipelineConfig())
    except text_format.ParseError as error:
        what = shortened(str(error), _LONGEST)
        raise ConfigError(f"{path}:{what}; compare with a pipeline.config of the TensorFlow 2 model zoo") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply for a pipeline.config") from error


def write_pipeline_config(config: PipelineConfig, path: Path) -> None:
    """Write `config` as text that reads back as the same message.

    Raises:
        ConfigError: a setting is not a number, or it reads back as another message.
    """
    refuse_faulty_numbers(config, path)
    with replacing(path) as beside:
        beside.write_text(config_text(config), encoding="utf-8")
        if read_pipeline_config(beside) != config:
            raise ConfigError(f"{path}: reads back changed; look for settings that this version of the OD API lacks")


def refuse_faulty_numbers(config: PipelineConfig, path: Path) -> None:
    """Check that the settings of the file at `path` are numbers, and that no loss is maximised.

    Raises:
        ConfigError: one is not a number, or is a weight below 0 or without end.
    """
    for name, value in _floats(config):
        if name.endswith("weight") and not math.isnan(value) and not 0 <= value < math.inf:
            raise ConfigError(f"{path}: {name} is {value:g}; write a number of 0 or more")
        if math.isnan(value):
            raise ConfigError(f"{path}: {name} is nan, which is no number; write one, or leave it out")


def config_text(config: PipelineConfig) -> str:
    """`config` as the text of a pipeline.config."""
    return str(text_format.MessageToString(config))


def fill_in(
    config: PipelineConfig,
    *,
    num_classes: int,
    train: "TrainParams",
    export: "ExportParams",
    records: Path,
    fine_tune_checkpoint: Path | None,
) -> None:
    """Put the values of params.yaml, the number of classes and our paths into `config`.

    `fine_tune_checkpoint` is the prefix of a detection checkpoint (`.../ckpt-0`); None without one.

    Raises:
        ConfigError: the params are of a loss, and the model has another.
    """
    model = detector_message(config)
    model.num_classes = num_classes
    for message in _messages(model):
        # Those of the extractor and of any kind of predictor.
        if message.DESCRIPTOR.name == "BatchNorm":
            message.decay = train.batchnorm_decay
    KINDS[meta_architecture(config)].fill_in_model(model, train, export)
    _fill_training(config.train_config, train)
    _fill_checkpoint(config.train_config, fine_tune_checkpoint)
    _fill_readers(config, records)


def has_suppression(config: PipelineConfig) -> bool:
    """Whether boxes that overlap others are left out of the model's detections (non-maximum suppression)."""
    return any(message.DESCRIPTOR.name == "BatchNonMaxSuppression" for message in _messages(config.model))


def _messages(message: Any) -> Iterator[Any]:
    """`message`, and every message that is set below it."""
    yield message
    for field, value in message.ListFields():
        # The entries of a map are no messages of their own.
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for child in value if field.is_repeated else [value]:
                yield from _messages(child)


def _floats(message: Any) -> Iterator[tuple[str, float]]:
    """The name and value of every floating-point setting in `message`."""
    for below in _messages(message):
        for field, value in below.ListFields():
            if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
                yield from ((field.full_name, number) for number in (value if field.is_repeated else [value]))


def _fill_training(config: train_pb2.TrainConfig, train: "TrainParams") -> None:
    config.batch_size = train.batch_size
    config.num_steps = train.steps
    config.gradient_clipping_by_norm = train.clip_norm
    config.optimizer.CopyFrom(_optimizer(train))
    del config.data_augmentation_options[:]
    config.data_augmentation_options.extend(_augmentation(train.augment))


def _optimizer(train: "TrainParams") -> optimizer_pb2.Optimizer:
    optimizer = optimizer_pb2.Optimizer(use_moving_average=False)
    if train.optimizer == "adam":
        rate = optimizer.adam_optimizer.learning_rate
    else:
        optimizer.momentum_optimizer.momentum_optimizer_value = 0.9
        rate = optimizer.momentum_optimizer.learning_rate
    cosine = rate.cosine_decay_learning_rate
    cosine.learning_rate_base = train.learning_rate
    cosine.total_steps = decay_end_step(train)
    cosine.warmup_learning_rate = train.learning_rate / 10
    # The OD API refuses a warm-up longer than the run: a run of a few steps, made to try things, shortens it.
    cosine.warmup_steps = min(train.warmup_steps, decay_end_step(train) - 1)
    return optimizer


def _augmentation(augment: "AugmentParams") -> list[preprocessor_pb2.PreprocessingStep]:
    """The augmentation of the OD API's own training loop that is nearest to that of the train stage."""
    steps = []
    if augment.flip > 0:
        steps.append(preprocessor_pb2.PreprocessingStep())
        steps[-1].random_horizontal_flip.probability = augment.flip
    if augment.crop > 0:
        steps.append(preprocessor_pb2.PreprocessingStep())
        crop = steps[-1].random_crop_image
        crop.min_object_covered = crop.overlap_thresh = 0.0
        crop.min_aspect_ratio, crop.max_aspect_ratio = 0.75, 3.0
        crop.min_area, crop.max_area = 0.75, 1.0
        # The OD API's value is how often the image is left unchanged.
        crop.random_coef = 1.0 - augment.crop
    if augment.colour > 0:
        steps.append(preprocessor_pb2.PreprocessingStep())
        steps[-1].random_distort_color.SetInParent()
    return steps


def _fill_checkpoint(config: train_pb2.TrainConfig, fine_tune_checkpoint: Path | None) -> None:
    config.ClearField("from_detection_checkpoint")
    config.fine_tune_checkpoint_version = train_pb2.CheckpointVersion.V2
    if fine_tune_checkpoint is None:
        config.ClearField("fine_tune_checkpoint")
        config.ClearField("fine_tune_checkpoint_type")
    else:
        config.fine_tune_checkpoint = fine_tune_checkpoint.as_posix()
        config.fine_tune_checkpoint_type = "detection"


def _fill_readers(config: PipelineConfig, records: Path) -> None:
    if len(config.eval_input_reader) != 1:
        del config.eval_input_reader[:]
        config.eval_input_reader.add(shuffle=False, num_epochs=1)
    for reader, split in ((config.train_input_reader, "train"), (config.eval_input_reader[0], "val")):
        reader.label_map_path = (records / LABEL_MAP).as_posix()
        reader.tf_record_input_reader.input_path[:] = [(records / f"{split}-?????-of-?????.tfrecord").as_posix()]
