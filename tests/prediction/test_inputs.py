"""Which images are read, in which order, and how they reach the detector."""

import gc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tasks.errors import DataError
from tasks.formats.pascal_voc import read_voc
from tasks.prediction.inputs import Picture, find_inputs
from tasks.prediction.run import predict_pictures
from tests.prediction.finding import WhiteFinder, drawn_in, listed, picture, predict_images, video


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
    encodes = True

    def __init__(self):
        self.names = []
        self.kept = []

    def add(self, prediction):
        living = {each.name for each in gc.get_objects() if isinstance(each, Picture)}
        self.kept.append(len(living & set(self.names)))
        self.names.append(prediction.picture.name)

    def close(self, unreadable):
        return "nothing"


def test_a_picture_is_dropped_once_it_is_written(tmp_path):
    paths = [picture(tmp_path / f"{i:02}.png") for i in range(24)]
    living = Living()
    predict_pictures(paths, WhiteFinder(), [living], 0.3, batch_size=8)
    assert living.names == [str(path) for path in paths]
    # A thread that has just drawn one may not have let go of it.
    assert max(living.kept) <= 2


def test_an_unreadable_image_is_named_and_the_others_are_drawn(tmp_path):
    good = [picture(tmp_path / "a.png"), picture(tmp_path / "c.png")]
    bad = tmp_path / "b.png"
    bad.write_bytes(b"not an image")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(picture(tmp_path / "whole.jpg", size=(600, 400)).read_bytes()[:1500])
    outcome = predict_images([good[0], bad, cut, good[1]], WhiteFinder(), tmp_path / "out", 0.3, 3)
    assert drawn_in(tmp_path / "out") == ["a.jpg", "c.jpg"]
    assert [each.name for each in outcome.unreadable] == [str(bad), str(cut)]
    reasons = [f"{each.name}: {each.reason}" for each in outcome.unreadable]
    assert listed(tmp_path / "out")["info"]["unreadable"] == reasons
    assert [image["id"] for image in listed(tmp_path / "out")["images"]] == [1, 2]


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
    outcome = predict_images([picture(tmp_path / name, mode=mode, **save)], detector, tmp_path / "out", 0.3, 8)
    assert detector.batches == [[(40, 60, 3)]]
    assert outcome.boxes == 1


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


def test_hidden_files_and_leftovers_of_tools_are_not_detected_in(tmp_path):
    for name in ("a.jpg", "._a.jpg", ".ipynb_checkpoints/a-checkpoint.jpg", "__MACOSX/a.jpg"):
        picture(tmp_path / "b" / name, format="PNG")
    assert find_inputs([tmp_path / "b"], tmp_path / "out") == [tmp_path / "b/a.jpg"]


def test_inputs_that_hold_no_image_are_an_error(tmp_path):
    with pytest.raises(DataError, match=r"no images found; looked for files ending in \.avi, \.avif, \.bmp"):
        find_inputs([tmp_path], Path("out"))
    with pytest.raises(DataError, match="absent: no such file or folder"):
        find_inputs([tmp_path / "absent"], Path("out"))


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


def test_numbered_folders_are_sorted_by_their_numbers(tmp_path):
    names = ["2/1.jpg", "2/3.jpg", "10/2.jpg", "10-b/1.jpg"]
    for name in reversed(names):
        picture(tmp_path / "clips" / name, format="PNG")
    found = find_inputs([tmp_path / "clips"], tmp_path / "out")
    assert [path.relative_to(tmp_path / "clips").as_posix() for path in found] == names


def test_frames_of_a_video_are_pictures_among_others(tmp_path):
    paths = [picture(tmp_path / "a.png"), video(tmp_path / "clip.mp4"), picture(tmp_path / "z.png")]
    outcome = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 2, every=2, write=["json", "pictures", "voc"])
    content = listed(tmp_path / "out")
    names = [Path(image["file_name"]).name for image in content["images"]]
    assert names == ["a.png", "clip.mp4#0", "clip.mp4#2", "clip.mp4#4", "z.png"]
    assert drawn_in(tmp_path / "out") == ["a.jpg", "clip-000000.jpg", "clip-000002.jpg", "clip-000004.jpg", "z.jpg"]
    assert outcome.pictures == 5
    lefts = [row["bbox"][0] for row in content["annotations"] if 2 <= row["image_id"] <= 4]
    assert lefts == [pytest.approx(left, abs=2) for left in (0, 16, 32)]
    frame, _ = read_voc(tmp_path / "out" / "voc" / "frames" / "clip-000002.xml")
    with Image.open(tmp_path / "out" / "frames" / frame.file_name) as image:
        assert image.size == (frame.width, frame.height) == (64, 48)


def test_an_unreadable_video_is_named(tmp_path):
    whole = video(tmp_path / "whole.avi", frames=60)
    (tmp_path / "cut.avi").write_bytes(whole.read_bytes()[:600])
    (tmp_path / "none.mp4").write_bytes(b"not a video")
    # FFmpeg would read this list, and open what it names.
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{whole}\n#EXT-X-ENDLIST\n")
    paths = [tmp_path / name for name in ("none.mp4", "list.mp4", "cut.avi")]
    outcome = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 2)
    assert {Path(each.name).name for each in outcome.unreadable} >= {"none.mp4", "list.mp4"}
    assert all("cannot be read as a video" in each.reason for each in outcome.unreadable)
