"""Stage ingest: hidden folders and what tools leave behind are never looked at, whatever the format."""

import json
import shutil

import pytest

from tasks.errors import DataError
from tests.stages.ingest.sources import CAT, DOG, annotation, label_studio, picture, run, yolo

FOLDERS = [".ipynb_checkpoints", "__MACOSX", "sub/.git", "@eaDir"]


def voc(here):
    annotation(here / "data/a.xml", "a.jpg", CAT)
    return "data"


def yolo_labels(here):
    yolo(here / "data", {"labels/a.txt": "1 0.5 0.5 0.5 0.5\n"})
    return "data"


def csv(here):
    (here / "data/boxes.csv").write_text("filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,30,40\n")
    return "data/boxes.csv"


def coco(here):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 38]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (here / "data/boxes.json").write_text(json.dumps(content))
    return "data/boxes.json"


def export(here):
    label_studio(here / "data/export.json", ("a.jpg", [("cat", 10, 10, 50, 50)], {}))
    return "data/export.json"


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("make", [voc, yolo_labels, csv, coco, export])
def test_stale_copies_in_leftover_folders_change_nothing(here, make, folder):
    picture(here / "data/a.jpg")
    source = make(here)
    before, _ = run(source, "data")
    left = here / "data" / folder
    shutil.copytree(here / "data", left, ignore=lambda *_: [folder.split("/")[0]])
    picture(left / "b.jpg")
    annotation(left / "a-checkpoint.xml", "a.jpg", DOG)
    yolo(left, {"labels/a.txt": "0 0.1 0.1 0.1 0.1\n"})
    yolo(here / "data/labels" / folder, {"a.txt": "0 0.1 0.1 0.1 0.1\n"})
    (here / "data/._a.xml").write_bytes(b"\x00\x05\x16\x07")
    (here / "data/._a.jpg").write_bytes(b"\x00\x05\x16\x07")
    (here / "data/Thumbs.db").write_bytes(b"\xd0\xcf")
    after, _ = run(source, "data")
    assert (after.classes, after.problems) == (before.classes, ())
    assert [(i.file_name, i.classes, i.boxes.tolist(), i.source) for i in after.images] == [
        (i.file_name, i.classes, i.boxes.tolist(), i.source) for i in before.images
    ]


def test_xml_of_an_editor_does_not_make_the_format_unclear(here):
    picture(here / "data/a.jpg")
    yolo(here / "data", {"labels/a.txt": "1 0.5 0.5 0.5 0.5\n"})
    (here / "data/.idea").mkdir()
    (here / "data/.idea/workspace.xml").write_text("<project/>")
    dataset, _ = run()
    assert (dataset.classes, dataset.problems) == (("cat",), ())


def test_a_folder_with_hidden_files_only_is_described(here):
    (here / "data/.idea").mkdir(parents=True)
    (here / "data/.idea/workspace.xml").write_text("<project/>")
    with pytest.raises(DataError, match="a folder with hidden files only, which are never read"):
        run()


def test_a_source_may_itself_be_hidden(here):
    picture(here / ".data/a.jpg")
    annotation(here / ".data/a.xml", "a.jpg", CAT)
    assert run(".data")[0].classes == ("cat",)
