"""First drafts: the boxes that a model finds, shown where nobody has drawn yet."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tasks.annotating.project import Project
from tasks.dataset.detections import Detections, Detector
from tasks.ground.files import sha256_of
from tasks.ground.text import composed
from tasks.prediction.inputs import Picture, read_pictures

_BATCH_SIZE = 8


def draft_version(model: Path, classes: Collection[str]) -> str:
    """Eight hex digits that differ between exported models (`model` is a folder) and between sets of classes."""
    digests = [sha256_of(path) for path in sorted((model / "saved_model").rglob("*")) if path.is_file()]
    return hashlib.sha256("\n".join([*digests, *classes]).encode()).hexdigest()[:8]


def tasks_to_draft(project: Project, images: Mapping[str, Path], version: str) -> dict[str, int]:
    """The tasks, by the path of their image, that have neither an annotation nor a draft of this version.

    `images` are paths by address.
    """
    drafted = project.drafted_tasks(version)
    return {
        str(images[task.address]): task.id
        for task in project.tasks()
        if task.address in images and not task.annotations and task.id not in drafted
    }


def add_drafts(
    project: Project,
    tasks: Mapping[str, int],
    detector: Detector,
    score_threshold: float,
    classes: Collection[str],
    version: str,
) -> None:
    """Detect in the images of `tasks`, and show boxes of `classes` with at least `score_threshold` as drafts.

    `tasks` are numbers by the path of their image, as from `tasks_to_draft`.
    """
    with tqdm(total=len(tasks), desc="first drafts by the model", unit="image") as bar:
        for batch in read_pictures([Path(name) for name in tasks], _BATCH_SIZE, 1):
            pictures = [each for each in batch if isinstance(each, Picture)]
            detected = detector.detect([np.asarray(picture.image) for picture in pictures]) if pictures else []
            for picture, detections in zip(pictures, detected, strict=True):
                drafts = _of_classes(detections.above(score_threshold), classes)
                project.add_draft(tasks[picture.name], drafts, picture.image.size, version)
            bar.update(len(batch))
    project.show_drafts(version)


def _of_classes(detections: Detections, classes: Collection[str]) -> Detections:
    spelled = {composed(name): name for name in classes}
    kept = [place for place, name in enumerate(detections.classes) if composed(name) in spelled]
    names = tuple(spelled[composed(detections.classes[place])] for place in kept)
    return Detections(detections.boxes[kept], names, detections.scores[kept])
