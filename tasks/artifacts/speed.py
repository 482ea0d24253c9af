"""metrics/speed.json: size and speed of both exported models, on the machine that evaluated them.

The times are different at every run. That is why they have a file of their own, which no stage depends on: the report
shows the file that it finds.
"""

from pathlib import Path

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact


class ModelSpeed(Artifact):
    """Size in 10^6 bytes, milliseconds for one image, and images a second in batches; None without test images."""

    size_mb: float | None = None
    latency_ms: float | None = None
    images_per_s: float | None = None


class Speed(Artifact):
    """The speed of both models on `machine`."""

    machine: str = "a machine that is not recorded"
    saved_model: ModelSpeed | None = None
    tflite: ModelSpeed | None = None


def read_speed(path: Path) -> Speed | None:
    """The speed in `path`; None where the file is missing.

    Raises:
        FormatError: it is not what the evaluate stage writes.
    """
    return read_artifact(path, Speed, "evaluate") if path.is_file() else None


def write_speed(path: Path, speed: Speed) -> None:
    """Write it."""
    write_artifact(path, speed)
