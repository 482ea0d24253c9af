"""Predictions as annotations: corrected by hand, and read by `ingest`."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.formats.csv import read_csv
from tasks.formats.gather import gather
from tasks.formats.pascal_voc import read_voc
from tasks.ground.text import counted
from tasks.images.image_file import read_rgb
from tasks.params import IngestParams
from tests.prediction.finding import WhiteFinder, ingested, picture, predict_images, video


def test_voc_can_be_corrected_and_learned_from(tmp_path):
    paths = [picture(tmp_path / "photos" / "a.png"), picture(tmp_path / "photos" / "empty.png", white=None)]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8, write=["voc"])
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["a.xml", "empty.xml"]
    image, problems = read_voc(tmp_path / "out" / "voc" / "a.xml")
    assert problems == []
    assert (image.file_name, image.width, image.height, image.classes) == ("a.png", 60, 40, ("white",))
    np.testing.assert_array_equal(image.boxes, [[10, 5, 30, 25]])
    assert read_voc(tmp_path / "out" / "voc" / "empty.xml")[0].classes == ()


def test_a_name_that_is_not_utf8_does_not_stop_the_run(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9.png")
    try:
        picture(odd)
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    outcome = predict_images([odd], WhiteFinder(), tmp_path / "out", 0.3, 8, write=["json", "voc", "csv"])
    assert (outcome.unreadable, outcome.unwritten, len(outcome.written)) == ([], [], 3)
    image, _ = read_voc(tmp_path / "out" / "voc" / os.fsdecode(b"caf\xe9.xml"))
    assert (image.file_name, image.classes) == ("caf?.png", ("white",))


def test_ingest_tells_images_of_one_name_apart(tmp_path):
    places = ["cat.png", "a/cat.png", "b/cat.png", "b/cat.bmp", "b/deep/cat.png", "labels/cat.png"]
    whites = {f"photos/{place}": (i, i, 30, 25) for i, place in enumerate(places)}
    paths = [picture(tmp_path / place, white=white) for place, white in whites.items()]
    outcome = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8, write=["voc"])
    assert outcome.written == [f"voc/ with 6 XML files (ingest.images: {os.path.relpath(tmp_path / 'photos')})"]
    written = {path.relative_to(tmp_path / "out" / "voc").as_posix() for path in (tmp_path / "out").rglob("*.xml")}
    assert written == {
        "cat.xml", "a/cat.xml", "b/cat.xml", "b/cat-2.xml", "b/deep/cat.xml", "labels/cat.xml",
    }  # fmt: skip
    boxes, problems = ingested(tmp_path / "out" / "voc", tmp_path / "photos")
    assert problems == set()
    assert boxes == {place: [list(whites[f"photos/{place}"])] for place in places}


def test_ingest_reads_frames_and_not_the_drawn_pictures(tmp_path):
    predict_images([video(tmp_path / "clip.mp4")], WhiteFinder(), tmp_path / "out", 0.3, 8, write=["pictures", "voc"])
    boxes, problems = ingested(tmp_path / "out" / "voc", tmp_path / "out")
    assert set(boxes) == {f"clip-00000{i}.jpg" for i in range(5)}
    dataset = gather(IngestParams(source=tmp_path / "out/voc", images=tmp_path / "out", format="voc", columns={}))
    assert Path(dataset.root).name == "frames"
    assert problems == {"image_without_annotation"}  # those that were drawn


@pytest.mark.parametrize(
    ("inputs", "hint"),
    [
        (["photos/a.png"], ""),
        (["clip.mp4"], " (ingest.images: out)"),
        (["photos/a.png", "clip.mp4"], " (move out/frames into photos, then ingest.images: photos)"),
        (["photos/a.png", "more/a.png"], " (ingest.images: .)"),
    ],
    ids=["one folder", "frames", "both", "folders"],
)
def test_the_folder_for_ingest_images_is_printed(tmp_path, monkeypatch, inputs, hint):
    monkeypatch.chdir(tmp_path)
    paths = [video(Path(name), frames=2) if name.endswith("mp4") else picture(Path(name)) for name in inputs]
    outcome = predict_images(paths, WhiteFinder(), Path("out"), 0.3, 8, write=["voc"])
    files = counted(2 * ("clip.mp4" in inputs) + sum("png" in i for i in inputs), "XML file")
    assert outcome.written == [f"voc/ with {files}{hint}"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff"])
def test_boxes_of_turned_images_lie_where_ingest_reads_the_pixels(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = picture(tmp_path / f"a.{suffix}", exif=exif)
    predict_images([path], WhiteFinder(), tmp_path / "out", 0.3, 8, write=["voc", "csv"])
    pixels = read_rgb(path)
    rows, columns = np.where(pixels.min(axis=2) > 200)
    white = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    voc, _ = read_voc(tmp_path / "out" / "voc" / "a.xml")
    (listed_in_csv,), _ = read_csv(tmp_path / "out" / "detections.csv", {})
    for image in (voc, listed_in_csv):
        assert (image.height, image.width) == pixels.shape[:2]
        np.testing.assert_allclose(image.boxes, [white], atol=1)


def test_boxes_are_in_pixels_as_stored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = picture(tmp_path / "a.png", exif=exif)
    predict_images([path], WhiteFinder(), tmp_path / "out", 0.3, 8, write=["voc", "csv"])
    image, _ = read_voc(tmp_path / "out" / "voc" / "a.xml")
    assert (image.width, image.height) == (60, 40)
    np.testing.assert_array_equal(image.boxes, [[10, 5, 30, 25]])
    (image,), problems = read_csv(tmp_path / "out" / "detections.csv", {})
    assert problems == []
    np.testing.assert_array_equal(image.boxes, [[10, 5, 30, 25]])


def test_csv_lists_scores_and_pictures_without_detections(tmp_path):
    paths = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png", white=None)]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.0, 8, write=["csv"])
    rows = (tmp_path / "out" / "detections.csv").read_text(encoding="utf-8").splitlines()
    assert rows == [
        "filename,width,height,class,xmin,ymin,xmax,ymax,score",
        f"{paths[0]},60,40,white,10.0,5.0,30.0,25.0,0.9",
        f"{paths[0]},60,40,nothing,10.0,5.0,30.0,25.0,0.2",
        f"{paths[1]},60,40,,,,,,",
    ]
