"""What can go wrong for a person who runs the pipeline.

    PipelineError
    ├── ParamsError        params.yaml is missing or not valid
    ├── DataError          images and annotations
    │   └── FormatError    a file is not what its format promises
    ├── CheckpointError    weights: download, layout, what was restored
    ├── UnreachableError   a server did not answer: may pass by itself
    ├── BusyError          another process works in the same folder: passes by itself
    ├── ConfigError        pipeline.config and model definitions
    ├── TrainingError      training cannot start or go on
    └── EvaluationError    scoring would not be honest

A `PipelineError` names what is wrong, where, and what to do; `python -m tasks` prints it without a
traceback and exits with 1, or with 75 where it may pass by itself, so that others know when to try again. Any other
exception is a bug and keeps its traceback.

    KeyboardInterrupt
    └── StoppedError       Ctrl-C during work that says how far it came
"""


class PipelineError(Exception):
    """Something the user can correct. The message names the file, the object and the remedy."""


class ParamsError(PipelineError):
    """params.yaml is missing, is not YAML, or does not hold what the stages need."""


class DataError(PipelineError):
    """Images or annotations cannot be used as they are."""


class FormatError(DataError):
    """A file is not what its format promises: not XML, a CSV column missing, not an image."""


class CheckpointError(PipelineError):
    """A checkpoint could not be fetched, read, or matched with the model."""


class UnreachableError(PipelineError):
    """A server could not be reached, or broke off too often: the same call may go through later."""


class BusyError(PipelineError):
    """Another process works in the same folder, where only one may: the same call goes through once it has ended."""


class ConfigError(PipelineError):
    """A pipeline.config or a model name cannot be used."""


class TrainingError(PipelineError):
    """Training cannot start or cannot go on: another trainer, a loss that is not finite."""


class EvaluationError(PipelineError):
    """An evaluation that would not be honest: images missing, nothing to score."""


class StoppedError(KeyboardInterrupt):
    """Ctrl-C, or SIGINT. The message says what is done, and how to go on."""
