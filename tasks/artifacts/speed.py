"""metrics/speed.json: size and speed of every exported model, on the machine that evaluated them.

The times are different at every run. That is why they have a file of their own, which no stage depends on: the report
shows the file that it finds.
"""

from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact


class Latency(Artifact):
    """Milliseconds of the runtime alone for one image, from its input to boxes: the median and the 95th percentile."""

    p50_ms: float
    p95_ms: float


class ModelSpeed(Artifact):
    """Size in 10^6 bytes, milliseconds for one image, and images a second in batches; None without test images.

    `latency_ms` and `images_per_s` count from a photo's pixels, with all cores; `by_threads` has the runtime alone with
    that many threads, and nothing for the SavedModel, whose threads are set once for a process.
    """

    size_mb: float | None = None
    latency_ms: float | None = None
    images_per_s: float | None = None
    by_threads: dict[int, Latency] = Field(default_factory=dict)


class Speed(Artifact):
    """The speed on `machine` of the SavedModel (`saved_model`) and of each variant by its name."""

    machine: str = "a machine that is not recorded"
    models: dict[str, ModelSpeed] = Field(default_factory=dict)


def read_speed(path: Path) -> Speed | None:
    """The speed in `path`; None where the file is missing.

    Raises:
        FormatError: it is not what the evaluate stage writes.
    """
    return read_artifact(path, Speed, "evaluate") if path.is_file() else None


def write_speed(path: Path, speed: Speed) -> None:
    """Write it."""
    write_artifact(path, speed)
