"""Conversions that are refused, and files that are never overwritten."""

import json
import unicodedata
from pathlib import Path

import pytest

from tests.commands.convert.conversions import convert


def fill(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")


@pytest.mark.parametrize(
    ("out", "existing", "kind", "message"),
    [
        ("out", "out/mine", "voc", "a folder with files in it"),
        ("out", "out/mine", "csv", "csv is one file, and this is a folder"),
        ("out", "out", "csv", "this file exists"),
        ("out", "out", "yolo", "this file exists"),
        ("labels.json", "mine", "coco", "this file exists"),
    ],
)
def test_nothing_is_overwritten(here, capsys, out, existing, kind, message):
    if existing != "mine":
        fill(here / existing)
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert convert("labels.json", out, "--images", "photos", "--to", kind) == 1
    assert message in capsys.readouterr().err
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_a_result_inside_its_source_is_refused(here, capsys):
    assert convert("labels.json", "voc", "--images", "photos", "--to", "voc") == 0
    assert convert("voc", "voc/yolo", "--images", "photos", "--to", "yolo") == 1
    assert "would be read with it" in capsys.readouterr().err


def test_annotations_that_may_be_of_another_image_are_refused(here, capsys):
    assert convert("labels.json", "voc", "--images", "photos", "--to", "voc") == 0
    a = here / "voc/a.xml"
    a.write_text(a.read_text().replace("a.jpg", "b.jpg"))
    assert convert("voc", "yolo", "--images", "photos", "--to", "yolo") == 1
    printed = capsys.readouterr()
    assert "other_image_named: 1 (kept), such as voc/a.xml: <filename> is 'b.jpg'" in printed.out
    assert "voc: 1 annotations may be of another image (above); nothing was written" in printed.err
    assert not (here / "yolo").exists()


def test_two_images_whose_names_look_the_same_are_refused(here, capsys):
    names = [unicodedata.normalize(form, "\u00e9.jpg") for form in ("NFC", "NFD")]
    content = json.loads(Path("labels.json").read_text())
    for image, name in zip(content["images"], names, strict=True):
        (here / "photos" / image["file_name"]).rename(here / "photos" / name)
        image["file_name"] = name
    Path("labels.json").write_text(json.dumps(content))
    assert convert("labels.json", "voc", "--images", "photos", "--to", "voc") == 1
    assert "would share the annotation file" in capsys.readouterr().err


def test_copies_are_for_yolo_only(here, capsys):
    assert convert("labels.json", "out.csv", "--images", "photos", "--to", "csv", "--copy-images") == 1
    assert "--copy-images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("voc", "a\u0001b", "XML cannot hold"),
        ("voc", "a\ud800b", "XML cannot hold"),
        ("csv", "a\ud800b", "not UTF-8; rename it"),
        ("coco", "a\ud800b", "not UTF-8; rename it"),
        ("yolo", "a\ud800b", "not UTF-8; rename it"),
        ("yolo", "a\nb", "remove the line break"),
    ],
)
def test_a_class_name_that_the_format_cannot_hold_is_refused(here, capsys, kind, name, message):
    content = json.loads(Path("labels.json").read_text())
    content["categories"][0]["name"] = name
    Path("labels.json").write_text(json.dumps(content))
    before = sorted(here.iterdir())
    assert convert("labels.json", "out", "--images", "photos", "--to", kind) == 1
    assert message in capsys.readouterr().err
    assert sorted(here.iterdir()) == before


def test_without_a_readable_image_nothing_is_written(here, capsys):
    for name in ("a", "b"):
        Path(f"photos/{name}.jpg").write_text("not an image")
    assert convert("labels.json", "out", "--images", "photos", "--to", "voc") == 1
    assert "no image is left; nothing was written" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("files", "source", "options", "message"),
    [
        ({}, "gone.json", (), "gone.json: no such file or folder; give another SOURCE: expected a folder with"),
        ({"a.txt": ""}, "a.txt", (), "a.txt: a .txt file; give another SOURCE: expected"),
        ({"a.json": "{}"}, "a.json", ("--format", "voc"), "a .json file (--format is voc); give another SOURCE"),
        (
            {"both/a.xml": "<annotation/>", "both/data.yaml": "names: [cat]", "both/labels/b.txt": "0 .5 .5 .1 .1"},
            "both",
            (),
            "both: could be voc or yolo; give with --format one of them",
        ),
        (
            {"a.csv": "filename,what,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\n"},
            "a.csv",
            (),
            "found the columns filename, what, xmin, ymin, xmax, ymax. Rename the column that it is",
        ),
        (
            {"a.csv": "filename,class,xmin,ymin,xmax,ymax\ngone.jpg,cat,1,2,3,4\n"},
            "a.csv",
            (),
            "images were searched for there and below . (--images)",
        ),
        (
            {"a.csv": "filename,class,xmin,ymin,xmax,ymax\n"},
            "a.csv",
            (),
            "give as SOURCE a file or folder that has some",
        ),
    ],
)
def test_advice_names_the_options_of_convert_and_not_the_settings_of_ingest(
    here, capsys, files, source, options, message
):
    for name, content in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(content)
    assert convert(source, "out", "--to", "voc", *options) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "ingest." not in error.replace("ingest.py", "")


@pytest.mark.parametrize("images", ["nope", "labels.json"])
def test_a_folder_of_images_that_is_not_there_is_refused(here, capsys, images):
    assert convert("labels.json", "voc", "--images", images, "--to", "voc") == 1
    assert f"{images}: no such folder; --images names the folder in which the images are" in capsys.readouterr().err
    assert not (here / "voc").exists()
