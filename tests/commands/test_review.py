"""`python -m tasks review`: what it refuses, and a whole run on a toy network."""

import errno
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tasks.__main__ import main
from tasks.artifacts.review import read_kept, read_suspects
from tasks.commands.review import likely_text
from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tests.commands.reviewed_project import write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the working folder, all but its model and weights."""
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(folder: Path) -> None:
    (folder / "models/base").mkdir(parents=True)
    (folder / "models/pipeline.config").touch()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--folds", "1"], "--folds 1: from 2 to 20"),
        (["--folds", "21"], "--folds 21: from 2 to 20"),
        (["--steps", "0"], "--steps 0: from 1 to 100000"),
        (["--minutes", "0"], "--minutes 0: from 0.1 to 10080"),
        (["--minutes", "nan"], "--minutes nan: from 0.1 to 10080"),
        (["--count", "0"], "--count 0: from 1 to 10000"),
        (["--out", "data"], "--out data: DVC removes what stands at paths."),
        (["--out", "tasks"], "--out tasks: is of the project itself"),
        (["--out", "params.yaml/x"], "--out params.yaml/x: is of the project itself"),
        (["--out", "photos/00.png"], "--out photos/00.png: a file of that name is there; name a folder"),
        (["--params", "other.yaml"], "other.yaml: no such file"),
        (["--keep", "nowhere.json"], "--keep nowhere.json: no such file; save one from reports/review.html"),
        (
            ["--folds", "13"],
            "images that differ: 12 of 12 (similar ones stay together), too few for 13 folds: add --folds 12",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(
    arguments: list[str], sentence: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(project)
    assert main(["review", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"review: {sentence}")


@pytest.mark.parametrize(
    ("scores", "start"), [([], "0 are "), ([0.5], "1 is "), ([0.49, 0.83], "1 is "), ([0.9, 0.5, 0.2], "2 are ")]
)
def test_how_many_are_more_likely_wrong_than_right(scores: list[float], start: str) -> None:
    assert likely_text(scores).startswith(f"{start}more likely wrong than right")


def test_steps_and_minutes_are_one_or_the_other(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["review", "--steps", "9", "--minutes", "9"])
    assert "not allowed with" in capsys.readouterr().err


def _stand_in(monkeypatch: pytest.MonkeyPatch, detect: Callable[..., object]) -> None:
    """Have `detect` stand for TensorFlow's part, which takes half a minute to import."""
    for name, content in (
        ("out_of_fold", {"detect_out_of_fold": detect}),
        ("repeated", {"LabelledRecords": lambda *_: None}),
    ):
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, f"tasks.training.{name}", module)


@pytest.mark.parametrize("path", ["data/splits/train.json", "data/records", "models/base", "models/pipeline.config"])
def test_the_stages_before_training_must_have_run(path: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(project)
    missing = project / path
    shutil.rmtree(missing) if missing.is_dir() else missing.unlink()
    assert main(["review"]) == 1
    sentence = f"review: {path}: missing; run `dvc repro configure` first, which makes all that a review needs\n"
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize("shard", ["val-00000-of-00001.tfrecord", "test-00000-of-00001.tfrecord"])
def test_records_of_another_split_are_refused(
    shard: str, project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    configured(project)
    other = "test" if shard.startswith("val") else "val"
    records = tmp_path / "data/records"
    shutil.copy(records / f"{other}-00000-of-00001.tfrecord", records / shard)
    assert main(["review"]) == 1
    sentence = "review: data/records holds other images than data/splits: run `dvc repro configure`\n"
    assert capsys.readouterr().err == sentence


def test_a_page_that_cannot_be_written_whole_leaves_the_one_before(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(project)
    (project / "reports").mkdir()
    (project / "reports/review.html").write_text("the one before", encoding="utf-8")
    _stand_in(monkeypatch, lambda *_, **__: [Detections(as_boxes([]), (), np.zeros(0))] * 12)
    write_text = Path.write_text

    def full_disk(path: Path, text: str, **others: str) -> int:
        if "review.html" in path.name:
            write_text(path, text[: len(text) // 2], **others)
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write_text(path, text, **others)

    monkeypatch.setattr(Path, "write_text", full_disk)
    assert main(["review"]) == 1
    assert capsys.readouterr().err.endswith("make room on the disk, then run it again\n")
    assert (project / "reports/review.html").read_text(encoding="utf-8") == "the one before"
    assert sorted(path.name for path in (project / "reports").iterdir()) == [
        "review.html", "review.json", "review_label_studio.json", "review_label_studio.xml",
    ]  # fmt: skip


def test_without_a_label_there_is_nothing_to_review(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, labels=False)
    configured(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["review"]) == 1
    assert "data/splits: no image has a label, so there is nothing to review: draw boxes" in capsys.readouterr().err


def test_one_image_has_no_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, (1, 0, 0))
    configured(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["review"]) == 1
    assert "images that differ: 1 of 1 (" in (message := capsys.readouterr().err)
    assert message.endswith("add images that differ\n")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "not a JSON file"),
        ('"x"', "not labels that were kept"),
        ('{"kept": [{"image": "x"}]}', "not labels that were kept, as the page of `review` saves them: kept.0.image"),
        ("[]", "reports/review.json: no such file; `python -m tasks review` writes it"),
    ],
)
def test_a_file_that_keeps_nothing_is_refused(
    content: str, sentence: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(project)
    (project / "file.json").write_text(content)
    assert main(["review", "--keep", "file.json"]) == 1
    assert sentence in capsys.readouterr().err
    assert not (project / "review_kept.json").exists()


def test_ctrl_c_says_that_the_same_command_goes_on(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(project)

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    _stand_in(monkeypatch, stopped)
    assert main(["review"]) == 130
    assert capsys.readouterr().err.endswith("review: stopped; the same command goes on from the last saved step\n")
    assert not (project / "reports").exists()


@pytest.mark.slow
def test_suspects_are_written_and_those_that_are_kept_are_not_shown_again(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from google.protobuf import text_format  # noqa: PLC0415 - imports TensorFlow

    from tests.artifacts.base_descriptions import describe_base  # noqa: PLC0415
    from tests.detector.toy_network import toy_config  # noqa: PLC0415

    describe_base(project / "models/base", "none")
    (project / "models/pipeline.config").write_text(text_format.MessageToString(toy_config()))
    before = {path: path.read_bytes() for folder in ("photos", "data") for path in (project / folder).rglob("*.*")}

    assert main(["review", "--folds", "3", "--steps", "4"]) == 0
    printed = capsys.readouterr().out
    assert "review: 12 images with 14 labels, 3 folds" in printed
    assert "from here on this machine (3 trainings of 4 steps of " in printed
    assert "review: fold 3 of 3, without 4 images" in printed
    assert {path: path.read_bytes() for path in before} == before
    suspects = read_suspects(project / "reports")
    assert [(each.kind, each.image, each.score) for each in suspects[:2]] == [
        ("duplicate_box", "00.png", 1.0),
        ("duplicate_box", "01.png", 1.0),
    ]
    page = (project / "reports/review.html").read_text(encoding="utf-8")
    assert page.count("<figure") == len(suspects)
    assert page.count("data:image/jpeg;base64,/9j/") == len(suspects)
    assert len(json.loads((project / "reports/review_label_studio.json").read_text())) == len(
        {each.image for each in suspects}
    )

    first = suspects[0]
    box = [round(value) for value in first.box]
    kept = {"image": first.sha256, "kind": first.kind, "class": first.class_, "box": box}
    (project / "labels_right.json").write_text(json.dumps({"kept": [kept]}))
    assert main(["review", "--folds", "3", "--steps", "4", "--keep", "labels_right.json"]) == 0
    printed = capsys.readouterr().out
    assert "review: all folds were done before" in printed
    assert "  1 not shown, for they were kept before (review_kept.json)" in printed
    assert read_suspects(project / "reports") == suspects[1:]
    assert len(read_kept(project / "review_kept.json")) == 1

    assert main(["review", "--folds", "2", "--minutes", "0.1", "--count", "1"]) == 0
    (steps,) = re.findall(r"\(2 trainings of (\d+) steps of ", capsys.readouterr().out)
    assert 40 <= int(steps) <= 2000
    assert len(read_suspects(project / "reports")) == 1
