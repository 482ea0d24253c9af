"""predict-folder: which options are refused, and what is reported."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.commands.predict_folder import predict_folder
from tasks.errors import CheckpointError, ParamsError, PipelineError
from tasks.prediction.folder_run import results_lock
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
    others = {"settle": 0.0, "batch_size": 8, "trust": False, "summary": None}
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
    assert "predict-folder: photos/predictions: another run works here" in capsys.readouterr().err
