"""The progress bar of `predict`: steps, images, and what is printed of tiles."""

import re
import time

from tasks.prediction.slices import Slicing
from tests.prediction.finding import WhiteFinder, picture, predict_images, video


def last_bar(text):
    """Steps done, all steps, and what stands behind, of the bar as it was shown last."""
    return re.findall(r"(\d+)/(\d+) \[[^\r\]]*?, *[\d.?]+((?:image|tile)/s[^\r\]]*)\]", text)[-1]


def test_without_slices_the_bar_counts_images(tmp_path, capsys):
    (tmp_path / "b.png").write_bytes(b"no image")
    paths = [picture(tmp_path / "a.png"), tmp_path / "b.png"]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8)
    assert last_bar(capsys.readouterr().err) == ("2", "2", "image/s")


def test_with_slices_the_bar_counts_images_and_their_tiles_also_of_what_cannot_be_read(tmp_path, capsys):
    cut, small = picture(tmp_path / "a.jpg", size=(180, 100)), picture(tmp_path / "b.png", size=(100, 100))
    (tmp_path / "c.jpg").write_bytes(picture(tmp_path / "whole.jpg", size=(180, 100)).read_bytes()[:-100])
    paths = [cut, small, tmp_path / "c.jpg", video(tmp_path / "v.mp4", frames=3, size=(180, 96))]
    outcome = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8, slicing=Slicing(100, 0.2))
    assert (outcome.pictures, len(outcome.unreadable)) == (5, 1)
    printed = capsys.readouterr()
    # An image of two tiles is three steps.
    assert last_bar(printed.err) == ("16", "16", "tile/s, 6 of 6 images")
    assert "cutting 5 of 6 images into 10 tiles\n" in printed.out


def test_a_photo_of_very_many_tiles_is_named_before_it_is_begun(tmp_path, capsys):
    printed = []

    class Finder(WhiteFinder):
        def detect(self, images):
            printed.append(capsys.readouterr().out)
            return super().detect(images)

    path = picture(tmp_path / "a.png", size=(1000, 1000))
    predict_images([path], Finder(), tmp_path / "out", 0.3, 64, slicing=Slicing(100, 0.0))
    assert printed[0] == (
        f"cutting 1 image into 100 tiles: {path} (1000 x 1000 pixels) into 100, which takes as long as 101 images; "
        "a larger --slice than 100 is faster\n"
    )


def test_the_bar_moves_with_each_batch_of_tiles(tmp_path, capsys):
    seen = []

    class Finder(WhiteFinder):
        def detect(self, images):
            seen.append(capsys.readouterr().err)
            # tqdm shows a bar ten times a second.
            time.sleep(0.11)
            return super().detect(images)

    path = picture(tmp_path / "a.png", size=(300, 100))
    predict_images([path], Finder(), tmp_path / "out", 0.3, 1, slicing=Slicing(100, 0.0))
    assert len(seen) == 4
    assert [last_bar(text)[:2] for text in seen[1:]] == [("1", "4"), ("2", "4"), ("3", "4")]


def test_where_nothing_is_cut_nothing_is_said_of_tiles(tmp_path, capsys):
    predict_images([picture(tmp_path / "a.png")], WhiteFinder(), tmp_path / "out", 0.3, 8, slicing=Slicing(100, 0.2))
    assert capsys.readouterr().out == ""
