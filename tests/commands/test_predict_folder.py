"""predict-folder: which options are refused, and what is reported."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.commands.predict_folder import predict_folder
from tasks.errors import BusyError, CheckpointError, DataError, ParamsError, PipelineError
from tasks.prediction.folder_run import results_lock
from tasks.prediction.ledger import LEDGER
from tests.prediction.finding import WhiteFinder, picture

ROOT = Path(__file__).parents[2]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.evaluation.exported.load_exported", lambda _, trust: WhiteFinder())
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    return picture(tmp_path / "photos" / "a.png").parent


def run(photos, **more):
    defaults = {"out": None, "model": Path("model"), "score_threshold": 0.3, "draw": False, "again": False}
    others = {"settle": 0.0, "batch_size": 8, "trust": False, "summary": None, "alarm_rate": 0.01}
    predict_folder(folder=photos, **{**defaults, **others, **more})


@pytest.mark.parametrize(
    "option", [{"settle": -1.0}, {"settle": float("nan")}, {"score_threshold": 1.5}, {"batch_size": 0}], ids=str
)
def test_an_option_out_of_range_is_named(photos, option):
    with pytest.raises(PipelineError, match=f"--{next(iter(option)).replace('_', '-')} "):
        run(photos, **option)
    assert not (photos / "predictions").exists()


def test_a_missing_model_is_reported_even_where_there_is_nothing_to_do(photos):
    with pytest.raises(CheckpointError, match="missing: no exported model here"):
        run(photos, model=Path("missing"))


@pytest.mark.parametrize(("inside", "named"), [("saved_model", "lies, model$"), ("serving/1", "lies$")])
def test_a_saved_model_in_place_of_its_export_folder_is_told_from_a_missing_one(photos, inside, named):
    saved_model = Path("model", inside)
    saved_model.mkdir(parents=True)
    (saved_model / "saved_model.pb").touch()
    with pytest.raises(CheckpointError, match=f"{inside}: a SavedModel; name the export folder in which it {named}"):
        run(photos, model=saved_model)


def test_what_was_done_is_printed_and_written(photos, capsys):
    (photos / "b.png").write_bytes(b"no image")
    (photos / "c.txt").touch()
    run(photos, summary=Path("summary.json"))
    printed = capsys.readouterr().out
    assert "2 photos, 2 new: 1 detected, 1 unreadable\n1 box (white 1), " in printed
    assert "left out 1 file without an image's suffix: " in printed
    assert "1 photo cannot be read; tried again when changed:\n  b.png: not an image" in printed
    summary = json.loads(Path("summary.json").read_text())
    assert (summary["photos"], summary["new"], summary["done"], summary["boxes"]) == (2, 2, 1, {"white": 1})
    assert (list(summary["unreadable"]), summary["score_threshold"], summary["others"]) == (["b.png"], 0.3, 1)


def test_what_is_done_again_is_not_counted_as_new_and_counts_of_zero_are_left_out(photos, capsys):
    first = picture(photos / "b.png", white=(0, 0, 10, 10))
    run(photos)
    assert "2 photos, 2 new: 2 detected\n" in capsys.readouterr().out
    shutil.copy(first, photos / "copy.png")
    run(photos, again=True, score_threshold=0.1, summary=Path("summary.json"))
    assert "3 photos, 1 new, 2 done again: 2 detected, 1 copy\n" in capsys.readouterr().out
    summary = json.loads(Path("summary.json").read_text())
    assert [summary[key] for key in ("photos", "new", "again", "done")] == [3, 1, 2, 3]
    run(photos, again=True, score_threshold=0.1)
    assert "3 photos, none new\n" in capsys.readouterr().out


def test_photos_that_are_merely_too_new_are_counted_and_not_named(photos, capsys):
    run(photos, settle=3600.0)
    first, *others = capsys.readouterr().out.splitlines()
    remedy = "changed within the last 3600 s; run again later, or add --settle 0"
    assert first == f"1 photo, 1 too new: {remedy}"
    assert "a.png" not in "".join(others)


def test_photos_that_are_too_new_beside_others_have_a_line_of_their_own(photos, capsys, monkeypatch):
    now = time.time()
    picture(photos / "b.png", white=(0, 0, 10, 10))
    os.utime(photos / "b.png", (now + 7200, now + 7200))
    monkeypatch.setattr("tasks.prediction.new_photos.time.time", lambda: now + 7200)
    run(photos, settle=3600.0)
    lines = capsys.readouterr().out.splitlines()
    assert "2 photos, 1 new, 1 too new: 1 detected" in lines
    assert lines[-1] == "too new: changed within the last 3600 s; run again later, or add --settle 0"


@pytest.mark.parametrize(
    ("change", "first", "last"),
    [
        (
            lambda path: picture(path, white=(0, 0, 5, 5)),
            "1 photo, 1 still being written",
            "1 photo left for the next run: written to while being read:\n  a.png",
        ),
        (Path.unlink, "1 photo, none new", "1 photo gone since the start of this run:\n  a.png"),
    ],
    ids=["written to", "gone"],
)
def test_a_photo_that_changes_or_goes_meanwhile_is_named(photos, capsys, monkeypatch, change, first, last):
    class Meanwhile(WhiteFinder):
        def detect(self, images):
            change(photos / "a.png")
            return super().detect(images)

    monkeypatch.setattr("tasks.evaluation.exported.load_exported", lambda _, trust: Meanwhile())
    run(photos)
    printed = capsys.readouterr().out
    assert f"{first}\n" in printed
    assert printed.endswith(f"{last}\n")


def test_boxes_of_this_run_are_told_from_those_of_results_that_were_there(photos, capsys):
    run(photos)
    (photos / "predictions" / LEDGER).unlink()
    picture(photos / "b.png", white=(0, 0, 10, 10))
    capsys.readouterr()
    run(photos)
    counts = "2 photos, 2 new: 1 detected, 1 taken from earlier results\n1 box in the 1 detected (white 1), "
    assert counts in capsys.readouterr().out


def test_the_score_is_printed_once_something_is_to_be_detected_and_never_before_an_error(photos, capsys):
    with pytest.raises(DataError, match="no such folder"):
        run(photos.parent / "nowhere", score_threshold=None)
    with results_lock(photos / "predictions"), pytest.raises(BusyError):
        run(photos, score_threshold=None)
    assert capsys.readouterr().out == ""
    run(photos, score_threshold=None)
    assert capsys.readouterr().out.startswith("boxes from a score of 0.3 on are kept: model/thresholds.json is missing")


def test_drawings_that_another_score_removes_are_counted_in_the_last_lines(photos, capsys):
    run(photos, draw=True)
    run(photos, again=True, score_threshold=0.1)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "1 drawing of earlier results removed: add --again --draw to draw them anew"


def test_a_folder_of_a_name_that_is_no_text_has_a_summary_too(photos):
    run(photos.rename(os.fsdecode(b"f\xff")), summary=Path("summary.json"))
    assert json.loads(Path("summary.json").read_text())["folder"] == "f?"


def test_results_of_a_project_do_not_go_where_a_stage_writes(photos, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(ParamsError, match=r"--out models/exported/new: DVC removes what stands at paths\.exported"):
        run(photos, model=photos.parent / "model", out=Path("models/exported/new"))


def test_a_second_run_ends_with_the_code_of_what_passes_by_itself(photos, capsys):
    with results_lock(photos / "predictions"):
        assert main(["predict-folder", str(photos), "--model", "model"]) == os.EX_TEMPFAIL
    assert f"predict-folder: {photos / 'predictions'}: another run works here" in capsys.readouterr().err
