"""predict-folder: which photos are done, which are not done again, and what is written of each."""

import os
import shutil
import time

import pytest
from PIL import Image

from tasks.errors import BusyError, DataError, StoppedError
from tasks.prediction.folder_run import results_lock
from tasks.prediction.ledger import LEDGER
from tests.prediction.finding import WhiteFinder, picture
from tests.prediction.growing import MODEL, Growing, keep_times

SMALL, LARGE = (0, 0, 10, 10), (0, 0, 30, 30)


def test_each_photo_gets_one_coco_file_in_the_same_subfolder(growing):
    picture(growing.photos / "gate" / "a.png", white=SMALL)
    summary = growing.run()
    assert growing.results() == ["gate/a.png.json"]
    result = growing.result("gate/a.png")
    assert result["images"] == [{"id": 1, "file_name": "gate/a.png", "drawn": None, "width": 60, "height": 40}]
    assert [(each["bbox"], each["score"]) for each in result["annotations"]] == [([0.0, 0.0, 10.0, 10.0], 0.9)]
    assert result["categories"] == [{"id": 1, "name": "nothing"}, {"id": 2, "name": "white"}]
    assert (result["info"]["model"], result["info"]["score_threshold"]) == (MODEL, 0.3)
    assert (summary.photos, summary.new, summary.detected, summary.boxes) == (1, 1, 1, {"white": 1})


def test_a_second_run_does_only_what_is_new_and_loads_no_model_for_nothing(growing):
    picture(growing.photos / "a.png")
    growing.run()
    assert growing.run().new == 0
    assert len(growing.finders) == 1
    picture(growing.photos / "b.png", white=SMALL)
    summary = growing.run()
    assert (summary.photos, summary.detected, growing.detected) == (2, 1, 2)
    assert summary.boxes_in_all == {"white": 2}


def test_a_renamed_photo_gets_its_result_without_being_detected_in_again(growing):
    path = picture(growing.photos / "a.png")
    growing.run(draw=True)
    path.rename(growing.photos / "b.png")
    summary = growing.run(draw=True)
    assert (summary.detected, summary.copied, growing.detected) == (0, 1, 1)
    assert growing.result("b.png")["images"][0]["file_name"] == "b.png"
    assert growing.result("b.png")["annotations"] == growing.result("a.png")["annotations"]
    assert growing.drawn() == ["a.png.jpg", "b.png.jpg"]


def test_two_copies_are_detected_in_once_and_both_get_the_result(growing):
    first = picture(growing.photos / "a.png")
    shutil.copy(first, growing.photos / "b.png")
    summary = growing.run()
    assert (summary.detected, summary.copied, growing.detected) == (1, 1, 1)
    assert growing.results() == ["a.png.json", "b.png.json"]
    assert summary.boxes_in_all == {"white": 2}


def test_a_photo_that_changed_under_its_name_is_done_again_even_with_the_same_size_and_time(growing, tmp_path):
    path = picture(growing.photos / "a.bmp", white=SMALL)
    other = picture(tmp_path / "other.bmp", white=LARGE)
    assert path.stat().st_size == other.stat().st_size
    growing.run()
    keep_times(path, other.read_bytes())
    assert growing.run().detected == 1
    assert growing.result("a.bmp")["annotations"][0]["bbox"] == [0.0, 0.0, 30.0, 30.0]


def test_a_touched_photo_is_not_done_again(growing):
    path = picture(growing.photos / "a.png")
    growing.run()
    os.utime(path)
    assert (growing.run().new, growing.detected) == (0, 1)


def test_a_photo_of_the_last_seconds_is_left_for_the_next_run(growing):
    picture(growing.photos / "a.png")
    summary = growing.run(settle_s=3600.0)
    assert (summary.too_new, summary.new, growing.results()) == (["a.png"], 0, [])
    assert growing.run().detected == 1


def test_a_clock_that_is_ahead_keeps_no_photo_waiting_once_it_has_settled(growing, monkeypatch):
    path = picture(growing.photos / "a.png")
    os.utime(path, (time.time() + 86400 * 30,) * 2)
    later = time.time() + 60
    monkeypatch.setattr("tasks.prediction.new_photos.time.time", lambda: later)
    assert growing.run(settle_s=10.0).detected == 1


def test_a_photo_that_arrives_piece_by_piece_is_done_once_it_is_whole(growing, tmp_path):
    whole = picture(tmp_path / "whole.jpg", size=(400, 300)).read_bytes()
    path = growing.photos / "a.jpg"
    path.write_bytes(whole[: len(whole) // 2])
    summary = growing.run()
    assert "truncated" in summary.unreadable["a.jpg"]
    assert growing.results() == []
    path.write_bytes(whole)
    summary = growing.run()
    assert (summary.detected, summary.unreadable) == (1, {})


def test_an_unreadable_photo_is_reported_by_every_run_and_tried_again_only_when_it_changes(growing):
    path = growing.photos / "a.png"
    path.write_bytes(b"no image")
    assert growing.run().newly_unreadable == 1
    summary = growing.run()
    assert (summary.new, len(growing.finders), list(summary.unreadable)) == (0, 1, ["a.png"])
    picture(path)
    assert (growing.run().detected, growing.results()) == (1, ["a.png.json"])


def test_a_photo_that_breaks_loses_the_result_of_what_it_was(growing):
    path = picture(growing.photos / "a.png")
    growing.run(draw=True)
    path.write_bytes(b"no image")
    growing.run(draw=True)
    assert (growing.results(), growing.drawn()) == ([], [])


def test_a_broken_link_is_named_and_stops_nothing(growing):
    (growing.photos / "a.png").symlink_to("nowhere")
    picture(growing.photos / "b.png")
    summary = growing.run()
    assert summary.unreadable == {"a.png": "a broken link, a pipe or a device"}
    assert summary.detected == 1


@pytest.mark.parametrize("change", ["written to", "removed"])
def test_a_photo_that_changes_while_it_is_detected_in_is_left_for_the_next_run(growing, change):
    path = picture(growing.photos / "a.png", white=SMALL)

    class Meanwhile(WhiteFinder):
        def detect(self, images):
            picture(path, white=LARGE) if change == "written to" else path.unlink()
            return super().detect(images)

    summary = growing.run(load=Meanwhile)
    left = (["a.png"], []) if change == "written to" else ([], ["a.png"])
    assert (summary.changed, summary.gone, summary.done, growing.results()) == (*left, 0, [])
    assert growing.run().detected == (change == "written to")


def test_after_ctrl_c_the_next_run_goes_on_and_what_was_done_is_in_the_ledger(growing):
    for i in range(40):
        picture(growing.photos / f"{i:02}.png", white=(0, 0, i + 1, 10))

    class Interrupted(WhiteFinder):
        def detect(self, images):
            if len(self.batches) == 2:
                raise KeyboardInterrupt
            return super().detect(images)

    with pytest.raises(StoppedError, match=r"stopped; \d+ photos done; run it again to go on") as stopped:
        growing.run(load=Interrupted)
    done = len(growing.results())
    assert f" {done} photos" in str(stopped.value)
    assert 0 < done < 40
    summary = growing.run()
    assert (summary.detected, summary.recovered) == (40 - done, 0)


def test_results_and_drawings_are_never_taken_for_photos(growing, tmp_path):
    picture(growing.photos / "a.png")
    growing.run(draw=True)
    assert growing.drawn() == ["a.png.jpg"]
    assert growing.run(draw=True).photos == 1
    # Nor those of another run's folder.
    elsewhere = Growing(tmp_path, tmp_path / "elsewhere")
    assert elsewhere.run().photos == 1


def test_a_result_that_was_taken_away_is_not_made_again_but_a_copy_of_its_photo_is_detected_in(growing):
    first = picture(growing.photos / "a.png")
    growing.run()
    (growing.out / "a.png.json").unlink()
    assert growing.run().new == 0
    shutil.copy(first, growing.photos / "b.png")
    assert (growing.run().detected, growing.results()) == (1, ["b.png.json"])


def test_a_result_that_is_json_no_more_is_not_copied(growing):
    first = picture(growing.photos / "a.png")
    growing.run()
    result = growing.out / "a.png.json"
    result.write_text(result.read_text().replace("0.9", "NaN"))
    shutil.copy(first, growing.photos / "b.png")
    assert growing.run().detected == 1
    assert growing.result("b.png")["annotations"][0]["score"] == 0.9


def test_a_lost_ledger_is_made_again_from_the_results(growing):
    for name in ("a.png", "b.png"):
        picture(growing.photos / name, white=SMALL if name == "a.png" else LARGE)
    growing.run()
    (growing.out / LEDGER).unlink()
    summary = growing.run()
    assert (summary.recovered, growing.detected, summary.boxes_in_all) == (2, 2, {"white": 2})


def test_a_name_of_bytes_that_are_no_text_is_done_once(growing):
    picture(growing.photos / "a.png").rename(growing.photos / os.fsdecode(b"\xff.png"))
    assert (growing.run().detected, growing.run().new) == (1, 0)


def test_a_name_too_long_for_a_result_is_reported_and_stops_nothing(growing):
    picture(growing.photos / f"{'a' * 250}.png")
    picture(growing.photos / "b.png", white=SMALL)
    summary = growing.run(draw=True)
    assert list(summary.unreadable.values()) == ["its name is too long for a result called after it: rename it"]
    assert (summary.detected, growing.run().new) == (1, 0)


def test_a_name_too_long_for_a_result_leaves_no_drawing_either(growing):
    picture(growing.photos / f"{'a' * 247}.png")
    summary = growing.run(draw=True)
    assert (len(summary.unreadable), growing.drawn(), growing.results()) == (1, [], [])


def test_a_second_run_into_the_same_folder_does_nothing_and_says_so(growing):
    picture(growing.photos / "a.png")
    with results_lock(growing.out), pytest.raises(BusyError, match="another run works here; this one did nothing"):
        growing.run()
    assert growing.run().detected == 1


@pytest.mark.parametrize("out", ["photos", "."], ids=["the photos' folder", "the folder above"])
def test_results_do_not_go_where_they_would_lie_among_photos(tmp_path, out):
    picture(tmp_path / "photos" / "a.png")
    with pytest.raises(DataError, match="name a folder in it or beside it"):
        Growing(tmp_path, tmp_path / out).run()


def test_a_file_in_place_of_the_folder_of_results_is_named(growing):
    growing.out.write_text("")
    with pytest.raises(DataError, match="a file of that name is there"):
        growing.run()


def test_what_others_left_half_written_stays_where_no_run_has_worked(growing):
    theirs = growing.out / ".theirs.1.partial"
    growing.out.mkdir()
    theirs.touch()
    growing.run()
    assert theirs.exists()


def test_results_of_two_folders_do_not_mix(tmp_path):
    picture(tmp_path / "one" / "photos" / "a.png")
    picture(tmp_path / "two" / "photos" / "a.png")
    Growing(tmp_path / "one", tmp_path / "out").run()
    with pytest.raises(DataError, match=r"the results here are of the photos in '\.\./one/photos'"):
        Growing(tmp_path / "two", tmp_path / "out").run()


def test_a_moved_folder_keeps_its_results(growing, tmp_path):
    picture(growing.photos / "a.png")
    growing.run()
    (tmp_path / "moved").mkdir()
    growing.photos.rename(tmp_path / "moved" / "photos")
    assert Growing(tmp_path / "moved").run().new == 0


def test_a_missing_folder_is_one_sentence_and_is_not_made(tmp_path):
    with pytest.raises(DataError, match="photos: no such folder"):
        Growing(tmp_path).run()
    assert not (tmp_path / "photos").exists()


def test_a_drawing_shows_the_boxes(growing):
    picture(growing.photos / "a.png", size=(200, 200), white=(50, 50, 150, 150))
    growing.run(draw=True)
    with Image.open(growing.out / "a.png.jpg") as drawn:
        assert drawn.size == (200, 200)
