"""A pipeline.config of the user's, read and checked before anything is built from it. Protobuf, not TensorFlow."""

from pathlib import Path

from tasks.detector.model_messages import check_supported
from tasks.detector.pipeline_config import PipelineConfig, read_pipeline_config, refuse_faulty_numbers


def read_users_config(path: Path) -> PipelineConfig:
    """The message in the user's pipeline.config at `path`.

    Raises:
        ConfigError: it cannot be read, or not be trained here.
    """
    config = read_pipeline_config(path)
    refuse_faulty_numbers(config, path)
    check_supported(config, path)
    return config
