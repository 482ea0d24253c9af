"""Suspects as tasks of Label Studio, and what an export says of them."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree
from PIL import Image

from tasks.__main__ import main
from tasks.annotating.project import Project, address_of
from tasks.annotating.review_tasks import (
    LABELS,
    PROPOSAL,
    REVIEW_CONFIG,
    REVIEW_TASKS,
    add_review_drafts,
    kept_in_export,
    read_review_tasks,
    write_review_tasks,
)
from tasks.annotating.server import label_studio
from tasks.artifacts.review import FoundSuspect, KeptLabel, SuspectKind
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import DataError, FormatError
from tasks.formats.label_studio import read_label_studio
from tasks.ground.files import write_json
from tests.annotating.drawing import CAT, PHOTO, exported, photos, served
from tests.ports import free_ports

SIZE = (200, 100)
BOXES = ((10, 10, 60, 60), (100, 20, 150, 80), (100, 20, 150, 80), (160, 0, 190, 30))
CLASSES = ("cat", "cat", "cat", "dog")


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """One photo, `photos/sub/a b.jpg`, with four labels of which two are the same."""
    path = tmp_path / "photos" / "sub" / "a b.jpg"
    path.parent.mkdir(parents=True)
    Image.new("RGB", SIZE, "white").save(path)
    return Dataset(tmp_path / "photos", ("cat", "dog"), (labelled(path),))


def labelled(path: Path, size: tuple[int, int] = SIZE) -> AnnotatedImage:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return AnnotatedImage("sub/a b.jpg", *size, as_boxes(BOXES), CLASSES, flags(4), flags(4), sha256=digest)


def suspect(data: Dataset, kind: SuspectKind, label: int | None, **others: Any) -> FoundSuspect:
    image = data.images[0]
    box = (20.0, 70.0, 60.0, 95.0) if label is None else BOXES[label]
    seen = {"seen_class": None, "seen_box": None, "score": 0.5, "sentence": f"{kind} here"}
    class_ = "dog" if label is None else CLASSES[label]
    return FoundSuspect.model_validate(
        {"image": image.file_name, "sha256": image.sha256, "kind": kind, "class": class_, "box": box, **seen, **others}
    )


def all_kinds(data: Dataset) -> list[FoundSuspect]:
    return [
        suspect(data, "missing_box", None, seen_class="dog", seen_box=(20, 70, 60, 95)),
        suspect(data, "wrong_class", 0, seen_class="dog", seen_box=(10, 12, 60, 60)),
        suspect(data, "duplicate_box", 2, seen_class="cat", seen_box=BOXES[1]),
        suspect(data, "box_on_nothing", 3),
    ]


def submitted(data: Dataset, result: list[Any], out: Path, **more: Any) -> Path:
    """An export in which somebody submitted `result`."""
    address = address_of(data.image_path(data.images[0]), data.root)
    annotation = {"id": 1, "updated_at": "2025-01-01T00:00:00Z", "result": result, **more}
    write_json(out / "export.json", [{"id": 1, "data": {"image": address}, "annotations": [annotation]}])
    return out / "export.json"


def read_back(task: dict[str, Any], which: str, out: Path) -> list[tuple[str, list[float]]]:
    """A prediction as the project reads an annotation of the same regions."""
    (result,) = [each["result"] for each in task["predictions"] if each["model_version"] == which]
    write_json(out / "back.json", [{"data": task["data"], "annotations": [{"result": result}]}])
    (image,), problems = read_label_studio(out / "back.json")
    assert problems == []
    return [(name, np.round(box, 3).tolist()) for name, box in zip(image.classes, image.boxes, strict=True)]


def test_labels_and_the_proposal_are_two_predictions_and_nothing_is_annotated(data: Dataset, tmp_path: Path) -> None:
    assert write_review_tasks(data, all_kinds(data), data.root, tmp_path) == []
    (task,) = json.loads((tmp_path / REVIEW_TASKS).read_text())
    assert "annotations" not in task
    assert task["data"]["image"] == "/data/local-files/?d=photos/sub/a%20b.jpg"
    assert task["data"]["review"] == "missing_box here; wrong_class here; duplicate_box here; box_on_nothing here"
    labels = [(name, list(map(float, box))) for name, box in zip(CLASSES, BOXES, strict=True)]
    assert read_back(task, LABELS, tmp_path) == labels
    assert read_back(task, PROPOSAL, tmp_path) == [
        ("dog", [10, 12, 60, 60]),
        ("cat", [100, 20, 150, 80]),
        ("dog", [20, 70, 60, 95]),
    ]
    view = etree.fromstring((tmp_path / REVIEW_CONFIG).read_text())
    assert [label.get("value") for label in view.iter("Label")] == ["cat", "dog"]


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_boxes_are_turned_as_the_photo_is_shown_and_back(orientation: int, data: Dataset, tmp_path: Path) -> None:
    path = data.image_path(data.images[0])
    photo = Image.new("RGB", SIZE, "white")
    photo.getexif()[0x0112] = orientation
    photo.save(path, exif=photo.getexif())
    turned = replace(data, images=(labelled(path),))
    own = [suspect(turned, "box_on_nothing", 0), suspect(turned, "box_on_nothing", 3)]
    write_review_tasks(turned, own, turned.root, tmp_path)
    (task,) = read_review_tasks(tmp_path / REVIEW_TASKS)
    region = task.predictions[0].result[0]
    shown = SIZE[::-1] if orientation > 4 else SIZE
    assert (region["original_width"], region["original_height"]) == shown
    # The first box, in the upper left, is shown in the corner to which the photo is turned.
    x, y = ((0.05, 0.1), (0.7, 0.1), (0.7, 0.4), (0.05, 0.4), (0.1, 0.05), (0.4, 0.05), (0.4, 0.7), (0.1, 0.7))[
        orientation - 1
    ]
    value = region["value"]
    assert isinstance(value, dict)
    assert (value["x"], value["y"]) == (pytest.approx(100 * x), pytest.approx(100 * y))
    export = submitted(turned, task.predictions[0].result[:3], tmp_path)
    assert [each.box for each in kept_in_export(export, own, turned, since=0)] == [BOXES[0]]


def test_an_image_outside_the_served_folder_is_left_out_and_named(data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert write_review_tasks(data, all_kinds(data), tmp_path / "elsewhere", tmp_path) == ["sub/a b.jpg"]
    assert read_review_tasks(tmp_path / REVIEW_TASKS) == []


def test_labels_that_were_submitted_as_they_are_are_kept(data: Dataset, tmp_path: Path) -> None:
    own = all_kinds(data)
    write_review_tasks(data, own, data.root, tmp_path)
    (task,) = read_review_tasks(tmp_path / REVIEW_TASKS)
    labels, proposal = (each.result for each in task.predictions)
    unchanged = kept_in_export(submitted(data, labels, tmp_path), own, data, since=0)
    assert [each.kind for each in unchanged] == ["missing_box", "wrong_class", "duplicate_box", "box_on_nothing"]
    assert unchanged[1] == KeptLabel(image=own[0].sha256, kind="wrong_class", class_="cat", box=BOXES[0])
    assert kept_in_export(submitted(data, proposal, tmp_path), own, data, since=0) == []
    nothing = kept_in_export(submitted(data, [], tmp_path), own, data, since=0)
    assert [each.kind for each in nothing] == ["missing_box"]


@pytest.mark.parametrize(
    "more", [{"was_cancelled": True}, {"updated_at": "1999-01-01T00:00:00Z"}], ids=["skipped", "older"]
)
def test_what_nobody_looked_at_since_the_review_is_not_kept(more: Any, data: Dataset, tmp_path: Path) -> None:
    export = submitted(data, [], tmp_path, **more)
    assert kept_in_export(export, all_kinds(data), data, since=1e9) == []


@pytest.mark.parametrize("suspected", [("1.jpg", "a/1.jpg"), ("1.jpg",), ("a/1.jpg",)])
@pytest.mark.parametrize("drawn_in", ["1.jpg", "a/1.jpg", "b/a/1.jpg"])
def test_an_annotation_is_of_the_image_whose_whole_path_it_has(
    drawn_in: str, suspected: tuple[str, ...], data: Dataset, tmp_path: Path
) -> None:
    images = []
    for name in ("1.jpg", "a/1.jpg", "b/a/1.jpg"):
        path = data.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE, (len(name), 0, 0)).save(path)
        images.append(replace(labelled(path), file_name=name))
    same_names = replace(data, images=tuple(images))
    own = [
        suspect(replace(data, images=(each,)), "missing_box", None) for each in images if each.file_name in suspected
    ]
    (place,) = [place for place, each in enumerate(images) if each.file_name == drawn_in]
    export = submitted(replace(data, images=(images[place],)), [], tmp_path)
    kept = kept_in_export(export, own, same_names, since=0)
    assert [each.image for each in kept] == ([images[place].sha256] if drawn_in in suspected else [])


@pytest.mark.parametrize("content", [{}, [1], [{"predictions": []}], "x"])
def test_another_file_is_refused(content: object, data: Dataset, tmp_path: Path) -> None:
    write_json(tmp_path / "other.json", content)
    with pytest.raises(FormatError, match="not what `python -m tasks review` writes for Label Studio"):
        read_review_tasks(tmp_path / "other.json")
    with pytest.raises(DataError, match="no such file; expected what"):
        read_review_tasks(tmp_path / "nowhere.json")
    if content != {}:
        with pytest.raises(FormatError, match="not an export of Label Studio"):
            kept_in_export(tmp_path / "other.json", [], data, since=0)


def test_both_predictions_become_drafts_once(folder: Path, data: Dataset) -> None:
    write_review_tasks(data, all_kinds(data), data.root, folder)
    tasks = read_review_tasks(folder / REVIEW_TASKS)
    (port,) = free_ports(1)
    with label_studio(folder / ".annotate", folder, port) as client:
        project = Project(client, data.root, data.classes)
        assert add_review_drafts(project, tasks) == 0
        project.add_images([task.data.image for task in tasks])
        assert add_review_drafts(project, tasks) == 1
        assert add_review_drafts(project, tasks) == 1
        drafts = client.get("/api/predictions/").json()
        shown = client.get("/api/projects/").json()["results"][0]["model_version"]
    assert [each["model_version"].rsplit(" ", 1)[0] for each in drafts] == [LABELS, PROPOSAL]
    assert [len(each["result"]) for each in drafts] == [4, 3]
    assert shown == drafts[0]["model_version"]


def test_annotate_shows_the_images_with_suspects_alone(folder: Path) -> None:
    photos(folder / "photos", 3)
    prediction = {"model_version": LABELS, "score": 1.0, "result": CAT}
    own = {"image": PHOTO, "review": "labelled cat twice", "classes": ["cat", "dog"]}
    write_json(folder / "suspects.json", [{"data": own, "predictions": [prediction]}])
    with served(folder, "--review", "suspects.json") as (client, printed):
        assert [task["data"]["image"] for task in exported(client)] == [PHOTO]
        assert len(client.get("/api/predictions/").json()) == 1
    assert "suspects.json: 1 image with suspects" in "".join(printed)


def test_a_review_of_other_photos_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos(folder / "photos", 1)
    own = {"image": "/data/local-files/?d=other/a.jpg", "review": "", "classes": ["cat"]}
    write_json(folder / "suspects.json", [{"data": own, "predictions": []}])
    assert main(["annotate", str(folder / "photos"), "--review", str(folder / "suspects.json")]) == 1
    assert "photos: none of the images with suspects; name the folder that is ingest.images" in capsys.readouterr().err
