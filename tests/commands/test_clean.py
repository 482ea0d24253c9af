"""`clean` removes what the stages wrote, and nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tasks.__main__ import main

ROOT = Path(__file__).parents[2]

WRITTEN = [
    "data/sample/images/a.jpg",
    "data/splits/train.json",
    "data/records/train.tfrecord",
    "data/records.partial/0123456789abcdef/shard",
    "data/.sample.123.partial/half",
    "models/resume/0123456789abcdef/current.json",
    "models/resume.learning-curve/0123456789abcdef/0123456789abcdef.json",
    "models/exported/model.tflite",
    "models/README.md",
    "metrics/data.json",
    "metrics/headline/all.json",
    "plots/train/plots/loss.tsv",
    "reports/index.html",
    "logs/train/events.out.tfevents.1",
]
MINE = [
    "data/photos/a.jpg",
    "data/notes.txt",
    "models/my-own.onnx",
    "logs/mine.txt",
    "predictions/a.jpg",
    "compare.html",
    "diff.html",
    "splits.json",
    "params.yaml",
    "dvc.yaml",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in [*WRITTEN, *MINE]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(project: Path) -> list[str]:
    return sorted(path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file())


def test_what_the_stages_wrote_is_removed_and_nothing_else(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean"]) == 0
    assert files(project) == sorted(MINE)
    output = capsys.readouterr().out.splitlines()
    assert "data/sample: removed" in output
    assert "data/photos: left, for no stage wrote it" in output
    assert "models/my-own.onnx: left, for no stage wrote it" in output
    assert not (project / "reports").exists()
    assert not (project / "metrics").exists()


def test_a_dry_run_removes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(project)
    assert main(["clean", "--dry-run"]) == 0
    assert files(project) == before
    assert "data/sample: would be removed" in capsys.readouterr().out


def test_a_second_time_there_is_nothing_to_remove(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["clean"])
    capsys.readouterr()
    assert main(["clean"]) == 0
    assert capsys.readouterr().out.startswith("nothing to remove")


def test_a_link_is_removed_and_not_what_it_leads_to(project: Path) -> None:
    shutil.rmtree(project / "data/sample")
    (project / "elsewhere").mkdir()
    (project / "elsewhere" / "a.jpg").touch()
    (project / "data/sample").symlink_to(project / "elsewhere")
    main(["clean"])
    assert (project / "elsewhere" / "a.jpg").exists()
    assert not (project / "data/sample").is_symlink()


def test_a_path_over_photos_is_refused_and_they_stay(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load((project / "params.yaml").read_text())
    content["ingest"]["images"] = content["paths"]["splits"] = "data/photos"
    (project / "params.yaml").write_text(yaml.safe_dump(content))
    assert main(["clean"]) == 1
    assert "paths.splits: 'data/photos' holds ingest.images" in capsys.readouterr().err
    assert (project / "data/photos/a.jpg").exists()
    assert (project / "data/sample/images/a.jpg").exists()


def test_without_dvc_yaml_nothing_is_removed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "dvc.yaml").unlink()
    assert main(["clean"]) == 1
    assert "restore it from git" in capsys.readouterr().err
    assert (project / "data/sample/images/a.jpg").exists()


def test_check_accepts_valid_params_and_names_an_unsafe_path(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "params.yaml is valid\n"
    content = yaml.safe_load((project / "params.yaml").read_text())
    content["paths"]["report"] = "docs"
    (project / "params.yaml").write_text(yaml.safe_dump(content))
    assert main(["check"]) == 1
    assert "check: params.yaml is not valid:\n  paths.report: 'docs'" in capsys.readouterr().err


def add_stage(project: Path, entry: str) -> None:
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("stages:\n", f"stages:\n  mine: {entry}\n", 1))


def test_an_out_of_a_stage_with_a_folder_of_its_own_is_removed_there_and_not_in_the_root(project: Path) -> None:
    for name in ("photos/mine.jpg", "sub/photos/made.jpg"):
        (project / name).parent.mkdir(parents=True)
        (project / name).touch()
    add_stage(project, "{cmd: x, wdir: sub, outs: [photos]}")
    assert main(["clean"]) == 0
    assert (project / "photos/mine.jpg").exists()
    assert not (project / "sub/photos").exists()


@pytest.mark.parametrize("out", ["../elsewhere", ".", "{folder}", "sub/../../elsewhere", "data/photos"])
def test_an_out_outside_or_over_what_is_read_is_left_and_named(
    project: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "mine.txt").touch()
    (elsewhere / ".gitignore").touch()
    content = yaml.safe_load((project / "params.yaml").read_text())
    content["ingest"]["images"] = "data/photos"
    (project / "params.yaml").write_text(yaml.safe_dump(content))
    add_stage(project, f"{{cmd: x, outs: ['{out.format(folder=elsewhere)}']}}")
    before = files(elsewhere)
    assert main(["clean"]) == 0
    assert files(elsewhere) == before
    assert files(project) == sorted(MINE)
    assert "left, for it lies outside, is tracked by git, or holds what is read" in capsys.readouterr().out


def test_an_out_that_git_tracks_is_left(project: Path) -> None:
    (project / "book").mkdir()
    (project / "book/chapter.md").touch()
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "book"], check=True)
    add_stage(project, "{cmd: x, outs: [book]}")
    assert main(["clean"]) == 0
    assert (project / "book/chapter.md").exists()


def test_an_out_with_a_name_that_is_no_param_is_passed_over(project: Path) -> None:
    (project / "x/None").mkdir(parents=True)
    (project / "x/None/mine.txt").touch()
    add_stage(project, "{cmd: x, outs: ['x/${item}']}")
    assert main(["clean"]) == 0
    assert (project / "x/None/mine.txt").exists()


@pytest.mark.parametrize("key", ["source", "images"])
def test_check_names_a_source_that_is_missing(project: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load((project / "params.yaml").read_text())
    content["ingest"][key] = "../nowhere"
    (project / "params.yaml").write_text(yaml.safe_dump(content))
    assert main(["check"]) == 1
    assert f"check: ingest.{key}: ../nowhere: no such file or folder" in capsys.readouterr().err
