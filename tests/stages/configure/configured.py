"""Runs of the stage in a project of two classes."""

from pathlib import Path

from tasks.artifacts.lint import read_findings
from tasks.dataset.dataset import AnnotatedImage
from tasks.params import ModelParams
from tasks.stages.configure import configure
from tasks.tfrecords.tf_example import encode_example, shard_name
from tasks.tfrecords.tfrecord import write_records
from tests.exporting.params import export_params
from tests.training.train_params import train_params

BASE = Path("models/base")
DEFAULT = "ssd_mobilenet_v2_fpnlite_320x320"
SMALL = {
    "steps": 40,
    "batch_size": 4,
    "learning_rate": 0.002,
    "warmup_steps": 5,
    "eval_every": 20,
    "save_every": 20,
}
EXPORT = export_params(max_detections=20, nms_iou_threshold=0.4, score_threshold=None)


def write_split(split: str, images: list[AnnotatedImage]) -> None:
    """Write the records of a split; the checks need no pixels."""
    write_records(
        Path("data/records") / shard_name(split, 0, 1),
        [encode_example(image, b"", "jpeg", {"mug": 1, "hat": 2}, source_id="1", sha256="") for image in images],
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(name: str, *, side_px: int | None = None, **changes: object) -> dict:
    return configure(
        ModelParams(name=name, side_px=side_px),
        train_params(**SMALL | changes),
        EXPORT,
        records=Path("data/records"),
        base=BASE,
        pipeline_config=Path("models/pipeline.config"),
        lint=Path("models/lint.json"),
    )


def findings() -> list[tuple[str, str, str]]:
    return [(finding.level, finding.key, finding.value) for finding in read_findings(Path("models/lint.json"))]
