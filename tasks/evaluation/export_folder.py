"""An export folder: whether what is needed of it is there, and as it was written."""

from pathlib import Path

from tasks.artifacts.training_photos import TRAINING_PHOTOS
from tasks.errors import CheckpointError
from tasks.model.checksums import check_checksums
from tasks.model.label_map import LABEL_MAP


def check_files(folder: Path, part: str, *, must_exist: str | None = None) -> None:
    """See that `folder` has the model `part` and its label map, both as SHA256SUMS has them, if there is one.

    `must_exist` names the file of `part` to look for, where `part` is a folder.

    Raises:
        CheckpointError: a file is missing, or is not as it was exported.
    """
    for name in (must_exist or part, LABEL_MAP):
        if not (folder / name).exists():
            raise CheckpointError(f"{folder / name}: no such file; run `make run`, or name an export folder")
    # A model may lack the others.
    beside = [name for name in (LABEL_MAP, "thresholds.json", TRAINING_PHOTOS) if (folder / name).exists()]
    check_checksums(folder, part, *beside)
