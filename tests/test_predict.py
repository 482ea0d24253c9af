import argparse
import gc
import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tasks.annotation.boxes import as_boxes
from tasks.annotation.detections import Detections
from tasks.errors import CheckpointError, DataError, FormatError, PipelineError
from tasks.formats.csv import read_csv
from tasks.formats.image_file import read_rgb
from tasks.formats.pascal_voc import read_voc
from tasks.formats.thresholds import Thresholds, write_thresholds
from tasks.ingest import gather
from tasks.params import IngestParams
from tasks.predict import announce, predict, predict_pictures, writers_for
from tasks.prediction.inputs import Picture, find_inputs
from tasks.prediction.threshold import score_threshold


class WhiteFinder:
    """Stands where a trained model stands: finds the bounding box of the white pixels, and doubts it once more."""

    classes = ("nothing", "white")

    def __init__(self):
        self.batches = []

    def detect(self, images):
        self.batches.append([image.shape for image in images])
        return [self._one(image) for image in images]

    def _one(self, image):
        assert image.dtype == np.uint8
        rows, columns = np.where(image.min(axis=2) > 200)
        if not rows.size:
            return Detections(as_boxes([]), (), np.zeros(0))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(as_boxes([box, box]), ("white", "nothing"), np.array([0.9, 0.2]))


def picture(path, *, size=(60, 40), white=(10, 5, 30, 25), mode="RGB", **options):
    image = Image.new("RGB", size)
    if white:
        image.paste((255, 255, 255), white)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.convert(mode).save(path, **options)
    return path


def listed(out):
    return json.loads((out / "detections.json").read_text(encoding="utf-8"))


def predict_images(paths, detector, out, score, batch_size, write=("pictures", "json"), **more):
    writers = writers_for(write, out, detector.classes, score, 5.0)
    return predict_pictures(paths, detector, writers, score, batch_size=batch_size, **more)


def drawn_in(out):
    return sorted(path.name for path in out.glob("*.jpg"))


def options(*inputs, out, model=Path("missing"), score_threshold=0.3, batch_size=8, **more):
    given = {"inputs": list(inputs), "out": out, "model": model, "score_threshold": score_threshold}
    defaults = {"batch_size": batch_size, "write": ["json"], "tflite": False, "every": 1, "fps": 5.0}
    return argparse.Namespace(**given, **defaults | more)


def test_what_is_found_is_listed_as_coco_json(tmp_path):
    path = picture(tmp_path / "photos" / "a.png")
    predict_images([path], WhiteFinder(), tmp_path / "out", 0.3, 8)
    content = listed(tmp_path / "out")
    assert content["categories"] == [{"id": 1, "name": "nothing"}, {"id": 2, "name": "white"}]
    assert content["images"] == [
        {"id": 1, "file_name": path.as_posix(), "drawn": "a.jpg", "width": 60, "height": 40},
    ]
    assert content["annotations"] == [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 2,
            "bbox": [10.0, 5.0, 20.0, 20.0],
            "score": 0.9,
            "area": 400.0,
            "iscrowd": 0,
        }
    ]


def test_a_lower_threshold_lists_the_doubtful_too(tmp_path):
    path = picture(tmp_path / "a.png")
    done = predict_images([path], WhiteFinder(), tmp_path / "out", 0.0, 8)
    assert [row["score"] for row in listed(tmp_path / "out")["annotations"]] == [0.9, 0.2]
    assert done.boxes == 2


def test_each_image_is_drawn_under_a_name_of_its_own(tmp_path):
    paths = [picture(tmp_path / name) for name in ("x/cat.png", "y/cat.jpg", "y/CAT.bmp", "y/cat-2.png")]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8)
    names = [image["drawn"] for image in listed(tmp_path / "out")["images"]]
    assert names == ["cat.jpg", "cat-2.jpg", "CAT-3.jpg", "cat-2-2.jpg"]
    for name in names:
        with Image.open(tmp_path / "out" / name) as image:
            assert image.format == "JPEG"
            assert image.size == (60, 40)
            assert len(image.getcolors(60 * 40)) > 2
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_images_are_detected_in_batches_in_their_order(tmp_path):
    paths = [picture(tmp_path / f"{i}.png", size=(60 + i, 40)) for i in range(5)]
    detector = WhiteFinder()
    predict_images(paths, detector, tmp_path / "out", 0.3, 2)
    assert [[shape[1] for shape in batch] for batch in detector.batches] == [[60, 61], [62, 63], [64]]
    assert [image["width"] for image in listed(tmp_path / "out")["images"]] == [60, 61, 62, 63, 64]


class BlindFinder(WhiteFinder):
    """Sees nothing, fast."""

    def _one(self, image):
        return Detections(as_boxes([]), (), np.zeros(0))


def test_a_batch_has_fewer_images_where_they_are_large(tmp_path):
    sides = [4000, 4000, 4000, 4000, 100, 100, 100, 7200, 100]  # of 16, of 0.01, and of 52 megapixels
    paths = [tmp_path / f"{i}.png" for i in range(len(sides))]
    for path, side in zip(paths, sides, strict=True):
        Image.new("1", (side, side)).save(path)
    detector = BlindFinder()
    predict_images(paths, detector, tmp_path / "out", 0.3, 8, write=["json"])
    widths = [[shape[1] for shape in batch] for batch in detector.batches]
    assert widths == [[4000, 4000, 4000], [4000, 100, 100, 100], [7200], [100]]
    assert [image["width"] for image in listed(tmp_path / "out")["images"]] == sides


class Living:
    """A writer that looks which pictures are still in memory."""

    draws = True

    def __init__(self):
        self.names = []
        self.kept = []

    def add(self, prediction):
        living = {each.name for each in gc.get_objects() if isinstance(each, Picture)}
        self.kept.append(len(living & set(self.names)))
        self.names.append(prediction.picture.name)

    def close(self, unreadable):
        return "nothing"


def test_a_picture_is_dropped_once_it_was_written(tmp_path):
    paths = [picture(tmp_path / f"{i:02}.png") for i in range(24)]
    living = Living()
    predict_pictures(paths, WhiteFinder(), [living], 0.3, batch_size=8)
    assert living.names == [str(path) for path in paths]
    # A thread that has just drawn one may not have let go of it.
    assert max(living.kept) <= 2


def test_an_unreadable_image_is_named_and_the_others_are_done(tmp_path):
    good = [picture(tmp_path / "a.png"), picture(tmp_path / "c.png")]
    bad = tmp_path / "b.png"
    bad.write_bytes(b"not an image")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(picture(tmp_path / "whole.jpg", size=(600, 400)).read_bytes()[:1500])
    done = predict_images([good[0], bad, cut, good[1]], WhiteFinder(), tmp_path / "out", 0.3, 3)
    assert drawn_in(tmp_path / "out") == ["a.jpg", "c.jpg"]
    assert [each.name for each in done.unreadable] == [str(bad), str(cut)]
    said = [f"{each.name}: {each.reason}" for each in done.unreadable]
    assert listed(tmp_path / "out")["info"]["unreadable"] == said
    assert [image["id"] for image in listed(tmp_path / "out")["images"]] == [1, 2]


def test_unreadable_images_make_the_command_fail_after_saying_what_was_done(tmp_path, capsys):
    bad = tmp_path / "b.png"
    bad.write_bytes(b"not an image")
    done = predict_images([picture(tmp_path / "a.png"), bad], WhiteFinder(), tmp_path / "out", 0.3, 8)
    with pytest.raises(DataError, match=r"1 of 2 images could not be read; the other 1 are in .*\n.*b\.png"):
        announce(done, tmp_path / "out")
    assert "1 images, 1 boxes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "mode", "save"),
    [
        ("a.png", "RGBA", {}),
        ("a.png", "P", {"transparency": b"\x00\xff"}),
        ("a.png", "L", {}),
        ("a.png", "1", {}),
        ("a.jpg", "CMYK", {"quality": 95}),
        ("a.gif", "P", {}),
        ("a.webp", "RGB", {"lossless": True}),
        ("a.tiff", "RGB", {}),
    ],
    ids=["alpha", "palette with transparency", "grey", "one bit", "CMYK", "GIF", "WebP", "TIFF"],
)
def test_every_kind_of_image_reaches_the_detector_as_rgb(tmp_path, name, mode, save):
    detector = WhiteFinder()
    done = predict_images([picture(tmp_path / name, mode=mode, **save)], detector, tmp_path / "out", 0.3, 8)
    assert detector.batches == [[(40, 60, 3)]]
    assert done.boxes == 1


def test_sixteen_bit_images_keep_their_shades(tmp_path):
    grey = np.full((40, 60), 30000, dtype=np.uint16)
    grey[5:25, 10:30] = 65535
    Image.fromarray(grey).save(tmp_path / "a.png")
    predict_images([tmp_path / "a.png"], WhiteFinder(), tmp_path / "out", 0.3, 8)
    assert [row["bbox"] for row in listed(tmp_path / "out")["annotations"]] == [[10.0, 5.0, 20.0, 20.0]]


def test_a_photo_on_its_side_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show this rotated by 90 degrees clockwise
    path = picture(tmp_path / "a.png", exif=exif)
    predict_images([path], WhiteFinder(), tmp_path / "out", 0.3, 8)
    content = listed(tmp_path / "out")
    assert (content["images"][0]["width"], content["images"][0]["height"]) == (40, 60)
    # Rows 5..25 of 40, counted from the other side: columns 15..35.
    assert content["annotations"][0]["bbox"] == [15.0, 10.0, 20.0, 20.0]


def test_folders_are_searched_below_and_in_either_case(tmp_path):
    for name in ("b/deep/x.JPG", "b/a.jpeg", "b/notes.txt", "b/folder.png/y.bmp"):
        picture(tmp_path / name, format="PNG")
    single = picture(tmp_path / "odd.suffix", format="PNG")
    found = find_inputs([single, tmp_path / "b", tmp_path / "b" / "a.jpeg"], tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "odd.suffix",
        "b/a.jpeg",
        "b/deep/x.JPG",
        "b/folder.png/y.bmp",
    ]


def test_inputs_that_hold_no_image_are_an_error(tmp_path):
    with pytest.raises(DataError, match=r"no images found; looked for files ending in \.avi, \.bmp"):
        find_inputs([tmp_path], Path("out"))
    with pytest.raises(DataError, match="absent: no such file or folder"):
        find_inputs([tmp_path / "absent"], Path("out"))


@pytest.mark.parametrize("out", ["photos", "photos/drawn", "."], ids=["the inputs' folder", "below it", "above it"])
def test_drawn_pictures_never_land_among_the_inputs(tmp_path, out):
    picture(tmp_path / "photos" / "a.jpg")
    with pytest.raises(DataError, match="lie in each other; choose a folder beside it"):
        find_inputs([tmp_path / "photos"], tmp_path / out)


def test_a_missing_model_says_how_to_make_one(tmp_path):
    path = picture(tmp_path / "a.png")
    with pytest.raises(CheckpointError, match="missing: no exported model here; run `make run` first"):
        predict(options(path, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("score_threshold", [-0.1, 1.5, float("nan")])
def test_a_score_threshold_outside_0_to_1_is_refused(tmp_path, score_threshold):
    with pytest.raises(PipelineError, match=r"--score-threshold .*: a score is a number from 0 to 1"):
        predict(options(picture(tmp_path / "a.png"), out=tmp_path / "out", score_threshold=score_threshold))


def test_a_batch_of_nothing_is_refused(tmp_path):
    with pytest.raises(PipelineError, match="--batch-size 0: at least 1 image"):
        predict(options(picture(tmp_path / "a.png"), out=tmp_path / "out", batch_size=0))


def test_the_threshold_is_the_wanted_one_else_the_exported_one_else_a_third(tmp_path, capsys):
    assert score_threshold(0.9, tmp_path) == 0.9
    assert capsys.readouterr().out == ""
    assert score_threshold(None, tmp_path) == 0.3
    assert "thresholds.json is not there" in capsys.readouterr().out
    chosen = Thresholds(score=0.42, chosen_by="F1", best_score=0.42, per_class={"cat": None}, images=7)
    write_thresholds(chosen, tmp_path / "thresholds.json")
    assert score_threshold(None, tmp_path) == 0.42
    assert "a score of 0.42 on are drawn, as" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"score": 2, "per_class": {}, "images": 1}', "[" * 100_000, b"\xff".decode("latin1")]
)
def test_broken_thresholds_are_named(tmp_path, content):
    (tmp_path / "thresholds.json").write_text(content, encoding="latin1")
    with pytest.raises(FormatError, match=r"thresholds\.json: not what the export stage writes"):
        score_threshold(None, tmp_path)


def test_patterns_are_matched_and_sorted(tmp_path):
    for name in ("a/2.jpg", "a/1.jpg", "a/b/3.png", "a/notes.txt"):
        picture(tmp_path / name, format="PNG")
    names = [path.name for path in find_inputs([tmp_path / "a" / "**" / "*"], tmp_path / "out")]
    assert names == ["1.jpg", "2.jpg", "3.png"]
    with pytest.raises(DataError, match=r"\*\.bmp: no such file or folder"):
        find_inputs([tmp_path / "*.bmp"], tmp_path / "out")


@pytest.mark.parametrize("inputs", ["frames", "frames/out*.jpg"], ids=["a folder", "a pattern"])
def test_numbered_frames_come_in_the_order_of_their_numbers(tmp_path, inputs):
    numbers = ["1", "2", "9", "010", "11", "100"]
    for number in reversed(numbers):
        picture(tmp_path / "frames" / f"out{number}.jpg", format="PNG")
    names = [path.name for path in find_inputs([tmp_path / inputs], tmp_path / "out")]
    assert names == [f"out{number}.jpg" for number in numbers]


def test_folders_are_sorted_by_their_numbers_too_and_keep_their_files_together(tmp_path):
    names = ["2/1.jpg", "2/3.jpg", "10/2.jpg", "10-b/1.jpg"]
    for name in reversed(names):
        picture(tmp_path / "clips" / name, format="PNG")
    found = find_inputs([tmp_path / "clips"], tmp_path / "out")
    assert [path.relative_to(tmp_path / "clips").as_posix() for path in found] == names


def test_voc_can_be_corrected_and_learned_from(tmp_path):
    paths = [picture(tmp_path / "photos" / "a.png"), picture(tmp_path / "photos" / "empty.png", white=None)]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8, write=["voc"])
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["a.xml", "empty.xml"]
    image, problems = read_voc(tmp_path / "out" / "voc" / "a.xml")
    assert problems == []
    assert (image.file_name, image.width, image.height, image.classes) == ("a.png", 60, 40, ("white",))
    np.testing.assert_array_equal(image.boxes, [[10, 5, 30, 25]])
    assert read_voc(tmp_path / "out" / "voc" / "empty.xml")[0].classes == ()


def test_a_name_that_is_no_utf8_ends_no_run(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9.png")
    try:
        picture(odd)
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    done = predict_images([odd], WhiteFinder(), tmp_path / "out", 0.3, 8, write=["json", "voc", "csv"])
    assert (done.unreadable, done.unwritten, len(done.written)) == ([], [], 3)
    image, _ = read_voc(tmp_path / "out" / "voc" / os.fsdecode(b"caf\xe9.xml"))
    assert (image.file_name, image.classes) == ("caf?.png", ("white",))


def test_a_name_that_xml_cannot_hold_is_told_of_and_the_others_are_done(tmp_path, capsys):
    paths = [picture(tmp_path / name) for name in ("a.png", "bell\a.png", "c.png")]
    done = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8, write=["json", "voc"])
    assert sorted(path.name for path in (tmp_path / "out" / "voc").iterdir()) == ["a.xml", "c.xml"]
    assert len(listed(tmp_path / "out")["images"]) == done.pictures == 3
    with pytest.raises(DataError) as caught:
        announce(done, tmp_path / "out")
    head, line = str(caught.value).splitlines()
    assert head == f"1 of 3 images are not in every file in {tmp_path / 'out'}. Rename:"
    assert "bell\ufffd.png: no XML file: XML cannot hold every character" in line
    assert "voc/ with 2 XML files" in capsys.readouterr().out


def test_what_an_earlier_run_left_stays_and_is_told_of(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tasks.detector.exported.load_saved_model", lambda _: WhiteFinder())
    (tmp_path / "model").mkdir()
    first, both = picture(tmp_path / "in" / "a.png"), picture(tmp_path / "in" / "b.png")
    given = {"out": tmp_path / "out", "model": tmp_path / "model", "write": ["pictures", "json", "voc"]}
    predict(options(first, both, **given))
    assert "earlier runs" not in capsys.readouterr().out

    predict(options(both, **given))

    said = capsys.readouterr().out
    assert f"{tmp_path / 'out'}: 2 files of earlier runs are still there; --out FOLDER keeps runs apart" in said
    assert drawn_in(tmp_path / "out") == ["a.jpg", "b.jpg"]


def ingested(source, images):
    """What `ingest` makes of the XML files in `source`: the boxes by image, and the kinds of problems."""
    dataset = gather(IngestParams(source=source, images=images, format="voc", columns={}))
    boxes = {image.file_name: image.boxes.astype(int).tolist() for image in dataset.images}
    return boxes, {problem.kind for problem in dataset.problems}


def test_ingest_tells_images_of_one_name_apart(tmp_path):
    places = ["cat.png", "a/cat.png", "b/cat.png", "b/cat.bmp", "b/deep/cat.png", "labels/cat.png"]
    whites = {f"photos/{place}": (i, i, 30, 25) for i, place in enumerate(places)}
    paths = [picture(tmp_path / place, white=white) for place, white in whites.items()]
    done = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8, write=["voc"])
    assert done.written == [f"voc/ with 6 XML files (ingest.images: {os.path.relpath(tmp_path / 'photos')})"]
    written = {path.relative_to(tmp_path / "out" / "voc").as_posix() for path in (tmp_path / "out").rglob("*.xml")}
    assert written == {
        "cat.xml", "a/cat.xml", "b/cat.xml", "b/cat-2.xml", "b/deep/cat.xml", "labels/cat.xml",
    }  # fmt: skip
    boxes, problems = ingested(tmp_path / "out" / "voc", tmp_path / "photos")
    assert problems == set()
    assert boxes == {place: [list(whites[f"photos/{place}"])] for place in places}


def test_ingest_takes_frames_and_not_the_pictures_that_were_drawn_of_them(tmp_path):
    predict_images([video(tmp_path / "clip.mp4")], WhiteFinder(), tmp_path / "out", 0.3, 8, write=["pictures", "voc"])
    boxes, problems = ingested(tmp_path / "out" / "voc", tmp_path / "out")
    assert set(boxes) == {f"clip-00000{i}.jpg" for i in range(5)}
    dataset = gather(IngestParams(source=tmp_path / "out/voc", images=tmp_path / "out", format="voc", columns={}))
    assert Path(dataset.root).name == "frames"
    assert problems == {"image_without_annotation"}  # those that were drawn


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (["photos/a.png"], ""),
        (["clip.mp4"], " (ingest.images: out)"),
        (["photos/a.png", "clip.mp4"], " (move out/frames into photos, then ingest.images: photos)"),
        (["photos/a.png", "more/a.png"], " (ingest.images: .)"),
    ],
    ids=["one folder", "frames", "both", "folders"],
)
def test_where_ingest_finds_the_images_is_said(tmp_path, monkeypatch, inputs, said):
    monkeypatch.chdir(tmp_path)
    paths = [video(Path(name), frames=2) if name.endswith("mp4") else picture(Path(name)) for name in inputs]
    done = predict_images(paths, WhiteFinder(), Path("out"), 0.3, 8, write=["voc"])
    assert done.written == [f"voc/ with {2 * ('clip.mp4' in inputs) + sum('png' in i for i in inputs)} XML files{said}"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff"])
def test_boxes_to_be_learned_from_lie_where_ingest_reads_the_pixels(tmp_path, suffix, orientation):
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


def test_what_is_to_be_learned_from_is_in_pixels_as_stored(tmp_path):
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


def test_csv_has_scores_and_pictures_without_detections(tmp_path):
    paths = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png", white=None)]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.0, 8, write=["csv"])
    rows = (tmp_path / "out" / "detections.csv").read_text(encoding="utf-8").splitlines()
    assert rows == [
        "filename,width,height,class,xmin,ymin,xmax,ymax,score",
        f"{paths[0]},60,40,white,10.0,5.0,30.0,25.0,0.9",
        f"{paths[0]},60,40,nothing,10.0,5.0,30.0,25.0,0.2",
        f"{paths[1]},60,40,,,,,,",
    ]


def test_a_gif_shows_every_picture_in_the_size_of_the_first(tmp_path):
    sizes = [(600, 400), (300, 400), (600, 400)]
    paths = [picture(tmp_path / f"{i}.png", size=size) for i, size in enumerate(sizes)]
    done = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 2, write=["gif"])
    assert done.written == ["detections.gif of 3 pictures"]
    with Image.open(tmp_path / "out" / "detections.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"], gif.info["loop"]) == (3, (480, 320), 200, 0)


def video(path, frames=5, size=(64, 48)):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(frames):
            image = Image.new("RGB", size)
            image.paste((255, 255, 255), (8 * i, 8, 8 * i + 16, 24))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return path


def test_frames_of_a_video_are_pictures_between_others(tmp_path):
    paths = [picture(tmp_path / "a.png"), video(tmp_path / "clip.mp4"), picture(tmp_path / "z.png")]
    done = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 2, every=2, write=["json", "pictures", "voc"])
    content = listed(tmp_path / "out")
    names = [Path(image["file_name"]).name for image in content["images"]]
    assert names == ["a.png", "clip.mp4#0", "clip.mp4#2", "clip.mp4#4", "z.png"]
    assert drawn_in(tmp_path / "out") == ["a.jpg", "clip-000000.jpg", "clip-000002.jpg", "clip-000004.jpg", "z.jpg"]
    assert done.pictures == 5
    lefts = [row["bbox"][0] for row in content["annotations"] if 2 <= row["image_id"] <= 4]
    assert lefts == [pytest.approx(left, abs=2) for left in (0, 16, 32)]
    frame, _ = read_voc(tmp_path / "out" / "voc" / "frames" / "clip-000002.xml")
    with Image.open(tmp_path / "out" / "frames" / frame.file_name) as image:
        assert image.size == (frame.width, frame.height) == (64, 48)


def test_what_is_no_video_or_only_half_of_one_is_named(tmp_path):
    whole = video(tmp_path / "whole.avi", frames=60)
    (tmp_path / "cut.avi").write_bytes(whole.read_bytes()[:600])
    (tmp_path / "none.mp4").write_bytes(b"not a video")
    # FFmpeg would read this list, and open what it names.
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{whole}\n#EXT-X-ENDLIST\n")
    paths = [tmp_path / name for name in ("none.mp4", "list.mp4", "cut.avi")]
    done = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 2)
    assert {Path(each.name).name for each in done.unreadable} >= {"none.mp4", "list.mp4"}
    assert all("cannot be read as a video" in each.reason for each in done.unreadable)


@pytest.mark.parametrize(("name", "value"), [("every", 0), ("fps", 0.0), ("fps", float("nan"))])
def test_options_of_videos_and_gifs_are_checked(tmp_path, name, value):
    with pytest.raises(PipelineError, match=f"--{name}"):
        predict(options(picture(tmp_path / "a.png"), out=tmp_path / "out", **{name: value}))
