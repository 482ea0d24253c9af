"""predict and predict-folder on photos unlike the training photos: what is printed and written."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.__main__ import main
from tests.prediction.finding import WhiteFinder
from tests.prediction.world import GridEmbedder, learned_from, save_scenes


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.evaluation.exported.load_exported", lambda _, trust: WhiteFinder())
    monkeypatch.setattr("tasks.detector.embedding.PhotoEmbedder", GridEmbedder)
    monkeypatch.chdir(tmp_path)
    learned_from(Path("model"), range(1000, 1100))


ALARM = "unlike the training photos: darker (median brightness "


def test_predict_reports_dark_photos_in_its_last_lines(capsys: pytest.CaptureFixture[str]) -> None:
    save_scenes(Path("photos"), range(20), light=0.35)
    assert main(["predict", "photos", "--model", "model", "--write", "json"]) == 0
    *_, done, alarm, look, remedy, chance = capsys.readouterr().out.splitlines()
    assert done == "predictions: detections.json"
    assert alarm.startswith(ALARM)
    assert "photos/" in look
    assert "suggest" in remedy
    assert chance == "  1 in 100 batches like the training photos is reported, too"


def test_predict_reports_dark_photos_beside_one_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    save_scenes(Path("photos"), range(20), light=0.35)
    Path("photos/bad.png").write_bytes(b"no image")
    assert main(["predict", "photos", "--model", "model", "--write", "json"]) == 1
    printed = capsys.readouterr()
    assert ALARM in printed.out
    assert "bad.png" in printed.err


@pytest.mark.parametrize(
    ("light", "options"), [(1.0, []), (0.35, ["--alarm-rate", "0"])], ids=["like training", "switched off"]
)
def test_nothing_is_printed_where_all_is_well_or_the_alarm_is_off(
    light: float, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    save_scenes(Path("photos"), range(20), light=light)
    assert main(["predict", "photos", "--model", "model", "--write", "json", *options]) == 0
    assert "training photos" not in capsys.readouterr().out


def test_a_rate_out_of_range_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    save_scenes(Path("photos"), range(1))
    for command in ("predict", "predict-folder"):
        assert main([command, "photos", "--alarm-rate", "2"]) == 1
        assert "--alarm-rate 2: a share of false alarms" in capsys.readouterr().err


def summary_of(*options: str) -> Any:
    arguments = ["predict-folder", "photos", "--model", "model", "--settle", "0", "--summary", "s.json", *options]
    assert main(arguments) == 0
    return json.loads(Path("s.json").read_text())["unlike"]


def test_predict_folder_compares_the_new_photos_of_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    save_scenes(Path("photos"), range(20))
    assert summary_of() == {"compared": 20, "differences": [], "most_unlike": []}
    assert summary_of() is None
    assert "training photos" not in capsys.readouterr().out
    save_scenes(Path("photos"), range(20, 40), light=0.35)
    unlike = summary_of()
    assert (unlike["compared"], [each["property"] for each in unlike["differences"]]) == (20, ["brightness"])
    assert unlike["differences"][0]["text"].startswith("darker (median brightness ")
    assert all(int(Path(name).stem) >= 20 for name in unlike["most_unlike"])
    assert ALARM in capsys.readouterr().out


def test_predict_folder_compares_nothing_where_the_alarm_is_off() -> None:
    save_scenes(Path("photos"), range(20), light=0.35)
    assert summary_of("--alarm-rate", "0") is None
