"""data/detections/: what each exported model finds in the test images, as COCO results."""

from collections.abc import Sequence
from pathlib import Path

from tasks.dataset.coco_json import read_detections, write_detections
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.ground.stage_files import require_file, written_by


def read_model_detections(folder: Path, model: str, test: Dataset) -> list[Detections]:
    """What `model`, `saved_model` or a variant's name, found in each image of `test`, in their order.

    Raises:
        DataError: there is no such file.
        FormatError: it is not what the evaluate stage writes, or belongs to other images.
    """
    with written_by("evaluate"):
        return read_detections(require_file(_file(folder, model), "evaluate"), test)


def write_model_detections(folder: Path, model: str, test: Dataset, found: Sequence[Detections]) -> None:
    """Write what `model` found in each image of `test`."""
    write_detections(found, test, _file(folder, model))


def _file(folder: Path, model: str) -> Path:
    return folder / f"{model}.json"
