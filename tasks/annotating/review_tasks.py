"""Suspects of `review` as tasks of Label Studio: the labels as they are and what is proposed, both as predictions.

Neither is an annotation: an image counts as looked at only when somebody has submitted one.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError

from tasks.annotating.export import Annotation, Region, Task
from tasks.annotating.project import Project, address_of, label_config, regions
from tasks.artifacts.review import FoundSuspect, KeptLabel
from tasks.dataset.boxes import as_boxes, corners, from_fractions, iou
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections
from tasks.errors import DataError, FormatError
from tasks.formats.label_studio_regions import image_of
from tasks.ground.files import read_json, replacing, write_json
from tasks.images.changed_names import path_in_address
from tasks.images.exif_frame import TURNED, to_shown, to_stored
from tasks.images.image_file import open_image, orientation_of
from tasks.review.found import by_image
from tasks.review.kept import kept_of

REVIEW_TASKS, REVIEW_CONFIG = "review_label_studio.json", "review_label_studio.xml"
# What the two predictions are called; the second is what `review` proposes.
LABELS, PROPOSAL = "labels as they are", "proposal of review"
_SAME_PX = 1.0
_FOUND_FROM = 0.5


class Prediction(BaseModel):
    """Boxes that are shown until somebody submits an annotation."""

    model_version: str
    score: float
    result: list[Region]


class _Data(BaseModel):
    image: str
    review: str
    classes: list[str]


class ReviewTask(BaseModel):
    """An image with suspects: its address on the server, what is suspected, all classes, and both predictions."""

    data: _Data
    predictions: list[Prediction]


def write_review_tasks(dataset: Dataset, suspects: Sequence[FoundSuspect], folder: Path, out: Path) -> list[str]:
    """Write the tasks and the project's labelling configuration into `out`, images with the first suspects first.

    `folder` is the one with the images, as `annotate` serves it. The names of images that it cannot serve are given.
    """
    image_of_name = {image.file_name: image for image in dataset.images}
    tasks: list[ReviewTask] = []
    left_out = []
    for name, own in by_image(suspects).items():
        try:
            tasks.append(_task(dataset, image_of_name[name], own, folder))
        except (DataError, OSError):
            left_out.append(name)
    write_json(out / REVIEW_TASKS, [task.model_dump() for task in tasks])
    with replacing(out / REVIEW_CONFIG) as beside:
        beside.write_text(label_config(dataset.classes), encoding="utf-8")
    return left_out


def read_review_tasks(path: Path) -> list[ReviewTask]:
    """The tasks that `write_review_tasks` wrote.

    Raises:
        DataError: there is no such file.
        FormatError: it holds something else.
    """
    what = "what `python -m tasks review` writes for Label Studio"
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected {what}")
    try:
        return TypeAdapter(list[ReviewTask]).validate_python(read_json(path, what))
    except ValidationError as error:
        raise FormatError(f"{path}: not {what}: {error.errors()[0]['msg']}; run the review again") from error


def kept_in_export(path: Path, suspects: Sequence[FoundSuspect], dataset: Dataset, since: float) -> list[KeptLabel]:
    """What the annotations in an export of Label Studio have left as it was, of the suspects in their images.

    Args:
        path: the JSON export.
        suspects: those that were looked at.
        dataset: with their images.
        since: annotations that were last changed before (in seconds since 1970) do not count.

    Raises:
        FormatError: it is no such export.
    """
    image_of_name = {image.file_name: image for image in dataset.images}
    suspects_of = by_image(suspects)
    kept: list[KeptLabel] = []
    for task in _exported(path):
        submitted = [each for each in task.annotations if not each.was_cancelled and _time(each) > since]
        name = _name_in(task.address, image_of_name) if submitted else None
        if name is not None and name in suspects_of:
            latest = max(submitted, key=_time)
            drawn = _drawn(dataset.image_path(image_of_name[name]), image_of_name[name], latest)
            kept += [kept_of(suspect) for suspect in suspects_of[name] if _is_as_it_was(suspect, drawn)]
    return kept


def add_review_drafts(project: Project, tasks: Sequence[ReviewTask]) -> int:
    """Show the predictions of `tasks` as drafts in the project's tasks of the same images; how many images those are.

    A draft that a task has already is not added again: its version names what it holds.
    """
    number_of = {task.address: task.id for task in project.tasks()}
    own = [task for task in tasks if task.data.image in number_of]
    digest = hashlib.sha256(json.dumps([task.model_dump() for task in own]).encode()).hexdigest()[:8]
    for name in (LABELS, PROPOSAL):
        version = f"{name} {digest}"
        drafted = project.drafted_tasks(version)
        for task in own:
            number = number_of[task.data.image]
            if number not in drafted:
                for prediction in task.predictions:
                    if prediction.model_version == name:
                        project.add_prediction(number, prediction.result, prediction.score, version)
    project.show_drafts(f"{LABELS} {digest}")
    return len(own)


def _task(dataset: Dataset, image: AnnotatedImage, suspects: Sequence[FoundSuspect], folder: Path) -> ReviewTask:
    path = dataset.image_path(image)
    frame = _Frame(path, image)
    score = max(suspect.score for suspect in suspects)
    labels = [(each, tuple(box)) for each, box in zip(image.classes, image.boxes.tolist(), strict=True)]
    return ReviewTask(
        data=_Data(
            image=address_of(path, folder),
            review="; ".join(suspect.sentence for suspect in suspects),
            classes=list(dataset.classes),
        ),
        predictions=[
            Prediction(model_version=LABELS, score=1.0, result=frame.regions(labels)),
            Prediction(model_version=PROPOSAL, score=score, result=frame.regions(_proposed(labels, suspects))),
        ],
    )


_Label = tuple[str, tuple[float, ...]]


def _proposed(labels: Iterable[_Label], suspects: Sequence[FoundSuspect]) -> list[_Label]:
    """The labels as they would be if every suspect were a mistake."""
    of_label: defaultdict[_Label, list[FoundSuspect]] = defaultdict(list)
    for suspect in suspects:
        if suspect.kind != "missing_box":
            of_label[suspect.class_, suspect.box].append(suspect)
    found: list[_Label] = []
    for class_, box in labels:
        own = of_label[class_, tuple(round(value, 2) for value in box)]
        if not own:
            found.append((class_, box))
            continue
        suspect = own.pop()
        if suspect.kind in ("wrong_class", "misplaced_box"):
            found.append((suspect.seen_class or class_, suspect.seen_box or box))
    return found + [(each.class_, each.box) for each in suspects if each.kind == "missing_box"]


class _Frame:
    """An image as Label Studio shows it: turned by its EXIF orientation."""

    def __init__(self, path: Path, image: AnnotatedImage) -> None:
        with open_image(path, max_megapixels=np.inf) as opened:
            self.orientation = orientation_of(opened) if opened.format != "TIFF" else 1
        size = (image.width, image.height)
        self.width, self.height = size[::-1] if self.orientation in TURNED else size

    def regions(self, labels: Sequence[_Label]) -> list[Region]:
        """Labels in pixels of the image as stored, as regions."""
        boxes = to_shown(as_boxes([box for _, box in labels]), self.orientation, width=self.width, height=self.height)
        names = tuple(name for name, _ in labels)
        drawn = regions(Detections(boxes, names, np.ones(len(names))), (self.width, self.height))
        return TypeAdapter(list[Region]).validate_python(drawn)


def _drawn(path: Path, image: AnnotatedImage, annotation: Annotation) -> AnnotatedImage:
    """What was drawn, in pixels of the image as stored."""
    drawn = image_of(image.file_name, list(annotation.result), path.as_posix(), [])
    frame = _Frame(path, image)
    drawn = drawn.keep(np.array([corners(box) is not None for box in drawn.boxes], dtype=bool))
    boxes = drawn.boxes if drawn.width else from_fractions(drawn.boxes, height=frame.height, width=frame.width)
    boxes = to_stored(boxes, frame.orientation, width=image.width, height=image.height)
    return AnnotatedImage(
        image.file_name, image.width, image.height, boxes, drawn.classes, drawn.difficult, drawn.iscrowd
    )


def _is_as_it_was(suspect: FoundSuspect, drawn: AnnotatedImage) -> bool:
    """Whether the label is there unchanged; of a missing one, whether there is none."""
    box = as_boxes([suspect.box])
    if suspect.kind == "missing_box":
        return not (iou(box, drawn.boxes) >= _FOUND_FROM).any()
    near = np.abs(drawn.boxes - box).max(axis=1, initial=0.0) <= _SAME_PX
    same = np.array([name == suspect.class_ for name in drawn.classes], dtype=bool)
    # Of two equal labels, one was removed where the other alone is left.
    return int((near & same).sum()) > (suspect.kind == "duplicate_box" and suspect.seen_box == suspect.box)


def _exported(path: Path) -> list[Task]:
    what = "an export of Label Studio"
    try:
        return TypeAdapter(list[Task]).validate_python(read_json(path, what))
    except ValidationError as error:
        raise FormatError(f"{path}: not {what}: {error.errors()[0]['msg']}") from error


def _name_in(address: str, names: Mapping[str, object]) -> str | None:
    """The image among `names` that an address on the server is of.

    Of a/1.jpg and 1.jpg the path photos/a/1.jpg ends in both: it is the longer one.
    """
    parts = path_in_address(address).split("/")
    endings = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((name for name in endings if name in names), None)


def _time(annotation: Annotation) -> float:
    """When it was last changed, in seconds since 1970; never before anything where that is not known."""
    try:
        time = datetime.fromisoformat(annotation.updated_at)
    except ValueError:
        return np.inf
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
