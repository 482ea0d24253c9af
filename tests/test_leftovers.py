"""What a killed stage leaves half written: the next run removes it, and nothing takes it for data or for work."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tasks.__main__ import main
from tasks.ground.files import remove_leftovers, remove_leftovers_below
from tasks.params import read_params

ROOT = Path(__file__).parents[1]
PATHS = [path for path in read_params(ROOT / "params.yaml").paths.model_dump().values() if path]


def test_a_stage_removes_what_a_killed_run_of_it_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["sample"]["images"] = 2
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    (tmp_path / "data" / ".sample.4711.partial" / "images").mkdir(parents=True)
    (tmp_path / "data" / ".sample.4712.partial").write_text("half")
    others = [tmp_path / "data" / name for name in (".ingested.4711.partial", "sample.partial", ".sample.mine.partial")]
    for other in others:
        other.write_text("of somebody else")

    assert main(["sample"]) == 0

    assert {path.name for path in (tmp_path / "data").iterdir()} == {"sample", *(other.name for other in others)}


def test_names_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in (".[ab].12.partial", ".a.12.partial", ".x.json.12.partial"):
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path / "[ab]")
    remove_leftovers(tmp_path / "x")
    remove_leftovers(tmp_path / "missing" / "x")
    assert {path.name for path in tmp_path.iterdir()} == {".a.12.partial", ".x.json.12.partial"}


def test_leftovers_go_from_a_folder_and_those_below_it_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in (".a.json.12.partial", "below/.b.jpg.7.partial", "a.partial", "below/.b.partial", "b.json.7.partial"):
        (tmp_path / name).touch()
    remove_leftovers_below(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.partial"))
    assert left == ["a.partial", "b.json.7.partial", "below/.b.partial"]


def test_git_and_dvc_look_at_nothing_half_written() -> None:
    left = [str(path.with_name(f".{path.name}.4711.partial")) for path in PATHS]
    left += ["params.yaml.before-run", "prefect.toml", "weights/.new.npz.12.partial", "models/a.zip.partial.json"]
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *left], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ignored.stdout.splitlines() == left
    assert "*.partial" in (ROOT / ".dvcignore").read_text().splitlines()
