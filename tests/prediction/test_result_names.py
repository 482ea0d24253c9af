"""predict-folder: photos in folders that are called as the result of another photo is."""

import pytest

from tests.prediction.finding import picture

SMALL, LARGE = (0, 0, 10, 10), (0, 0, 30, 30)
A_FOLDER = "its result would be called '{}', as a folder of results is: rename the photo"
A_FILE = "the folder of its result would be called '{}', as a file is: rename its folder"


def results(growing):
    """Those that are files: a folder may be called as one is."""
    return [name for name in growing.results() if (growing.out / name).is_file()]


@pytest.mark.parametrize(("suffix", "draw"), [(".json", False), (".json", True), (".jpg", True)])
@pytest.mark.parametrize("inner", ["b.png", "deeper/b.png"])
def test_photos_in_a_folder_called_as_a_result_are_reported_and_stop_nothing(growing, suffix, draw, inner):
    picture(growing.photos / "a.png", white=SMALL)
    growing.run(draw=draw)
    picture(growing.photos / f"a.png{suffix}" / inner)
    picture(growing.photos / "c.png", white=LARGE)
    summary = growing.run(draw=draw)
    assert summary.unreadable == {f"a.png{suffix}/{inner}": A_FILE.format(f"a.png{suffix}")}
    assert summary.detected == 1
    assert results(growing) == ["a.png.json", "c.png.json"]
    assert growing.run(draw=draw).new == 0


@pytest.mark.parametrize(("suffix", "draw"), [(".json", False), (".json", True), (".jpg", True)])
def test_a_photo_whose_result_a_folder_is_called_as_is_reported_and_stops_nothing(growing, suffix, draw):
    picture(growing.photos / f"a.png{suffix}" / "b.png", white=SMALL)
    growing.run(draw=draw)
    picture(growing.photos / "a.png")
    picture(growing.photos / "c.png", white=LARGE)
    summary = growing.run(draw=draw)
    assert summary.unreadable == {"a.png": A_FOLDER.format(f"a.png{suffix}")}
    assert summary.detected == 1
    assert results(growing) == [f"a.png{suffix}/b.png.json", "c.png.json"]
    (growing.photos / "a.png").rename(growing.photos / "d.png")
    assert (growing.run(draw=draw).unreadable, "d.png.json" in results(growing)) == ({}, True)


def test_both_in_one_run_end_in_one_result_and_one_report(growing):
    picture(growing.photos / "a.png", white=SMALL)
    picture(growing.photos / "a.png.json" / "b.png")
    summary = growing.run()
    assert (summary.detected, len(summary.unreadable), len(results(growing))) == (1, 1, 1)


def test_a_copy_in_a_folder_called_as_a_result_is_reported(growing):
    first = picture(growing.photos / "a.png")
    copy = growing.photos / "a.png.json" / "b.png"
    copy.parent.mkdir()
    copy.write_bytes(first.read_bytes())
    summary = growing.run()
    assert len(summary.unreadable) == 1
    assert len(results(growing)) == 1


def test_a_photo_that_can_be_drawn_no_more_keeps_no_result_of_what_it_was(growing):
    path = picture(growing.photos / "a.png", white=SMALL)
    growing.run()
    picture(growing.photos / "a.png.jpg" / "b.png")
    growing.run()
    picture(path, white=LARGE)
    summary = growing.run(draw=True)
    assert summary.unreadable == {"a.png": A_FOLDER.format("a.png.jpg")}
    assert results(growing) == ["a.png.jpg/b.png.json"]
