"""predict-folder: photos that are done again, with another model, score threshold, or with drawings."""

import shutil

from tests.prediction.finding import picture

SMALL, LARGE = (0, 0, 10, 10), (0, 0, 30, 30)


def test_without_drawing_again_an_old_drawing_goes(growing):
    path = picture(growing.photos / "a.png", white=SMALL)
    growing.run(draw=True)
    picture(path, white=LARGE)
    assert growing.run().drawings_removed == 1
    assert growing.drawn() == []


def test_another_model_without_drawing_removes_the_drawings_of_copies_too_and_counts_all(growing):
    first = picture(growing.photos / "a.png")
    shutil.copy(first, growing.photos / "b.png")
    growing.run(draw=True)
    assert growing.drawn() == ["a.png.jpg", "b.png.jpg"]
    summary = growing.run(model="b" * 64, again=True)
    assert (summary.copied, summary.drawings_removed, growing.drawn()) == (1, 2, [])
    summary = growing.run(model="b" * 64, again=True, draw=True)
    assert (summary.drawings_removed, growing.drawn()) == (0, ["a.png.jpg", "b.png.jpg"])


def test_a_new_model_does_new_photos_only_unless_asked_to_do_all_again(growing):
    picture(growing.photos / "a.png")
    growing.run()
    picture(growing.photos / "b.png", white=SMALL)
    assert growing.run(model="b" * 64).detected == 1
    assert [growing.result(name)["info"]["model"][0] for name in ("a.png", "b.png")] == ["a", "b"]
    assert growing.run(model="b" * 64, again=True).detected == 1
    assert growing.result("a.png")["info"]["model"] == "b" * 64
    assert growing.run(model="b" * 64, again=True).new == 0
    assert growing.run(model="b" * 64, score=0.1, again=True).boxes == {"white": 2, "nothing": 2}


def test_all_again_detects_copies_once(growing):
    first = picture(growing.photos / "a.png")
    shutil.copy(first, growing.photos / "b.png")
    growing.run()
    summary = growing.run(model="b" * 64, again=True)
    assert (summary.detected, summary.copied, summary.again, summary.new) == (1, 1, 2, 0)
    assert growing.result("b.png")["info"]["model"] == "b" * 64


def test_a_photo_that_changed_is_new_also_where_all_is_done_again(growing):
    path = picture(growing.photos / "a.png", white=SMALL)
    picture(growing.photos / "b.png")
    growing.run()
    picture(path, white=LARGE)
    summary = growing.run(model="b" * 64, again=True)
    assert (summary.detected, summary.again, summary.new) == (2, 1, 1)
