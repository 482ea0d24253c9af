"""`doctor`: the whole command, with stand-ins for what takes long."""

from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.commands import doctor as command
from tasks.diagnosis.finding import Finding
from tests.small_project import ROOT

OK, FAIL = Finding("ok", "works"), Finding("FAIL", "broken", "mend it")
PARAMS = ["--params", str(ROOT / "params.yaml")]


@pytest.fixture(autouse=True)
def quick_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("remote_findings", "server_findings"):
        monkeypatch.setattr(command, name, lambda: [OK])
    monkeypatch.setattr(command, "training_findings", lambda gpus, run, tell: [OK])


def test_what_works_is_told_by_subject(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *PARAMS]) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = [line for line in lines if not line.startswith("  ")]
    assert titles == [
        "machine",
        "packages",
        "gpus",
        "training",
        "dvc remote",
        "prefect",
        "doctor: all that was tried works",
    ]


def test_quickly_nothing_is_trained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--quick", *PARAMS]) == 0
    out = capsys.readouterr().out
    assert "\ntraining\n" not in out
    assert "--quick left training and export out" in out


def test_what_does_not_work_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "training_findings", lambda gpus, run, tell: [OK, FAIL])
    assert main(["doctor", *PARAMS]) == 1
    shown = capsys.readouterr()
    assert "  FAIL  broken: mend it" in shown.out
    assert "doctor: 1 of " in shown.err


def test_params_that_are_not_valid_are_no_fault_of_a_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "params.yaml").write_text("train: [")
    assert main(["doctor", "--params", str(tmp_path / "params.yaml")]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "params.yaml" in shown.err


def test_a_size_beside_a_config_is_named_before_anything_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        (ROOT / "params.yaml").read_text().replace("name: ssd_mobilenet_v2_fpnlite_320x320", "name: configs/a.config")
    )
    (tmp_path / "params.yaml").write_text(text.replace("\n  side_px: null", "\n  side_px: 512"))
    assert main(["doctor", "--params", str(tmp_path / "params.yaml")]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "model.side_px: configs/a.config says its input size itself" in shown.err
