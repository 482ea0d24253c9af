"""What a stage depends on, when it is edited while the stage runs."""

import os
from pathlib import Path

import pytest

from tasks.errors import PipelineError
from tasks.ground.files import CODE
from tasks.ground.stage_inputs import StageInputs, mark_code

DVC_YAML = """
vars: [{run: python -m tasks}]
stages:
  train:
    cmd: ${run} train
    params: [train, records.size]
    deps: ["${paths.records}", "${paths.base}/ckpt", configs]
    outs: ["${paths.trained}"]
"""
PARAMS = """
train: {steps: 300, cache: {use: auto, copies: 4}}
records: {size: 1, workers: null}
report: {pictures: 3}
paths: {records: data/records, base: models/base, trained: models/trained}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "dvc.yaml": DVC_YAML,
        "params.yaml": PARAMS,
        "data/records/a.tfrecord": "a",
        "data/records/sub/b.tfrecord": "b",
        "models/base/ckpt": "c",
        "models/base/other": "d",
        "configs/small.config": "e",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def inputs(project: Path) -> StageInputs:
    return StageInputs("train", Path("params.yaml"), mark_code())


def replace(project: Path, before: str, after: str) -> None:
    text = (project / "params.yaml").read_text()
    assert before in text
    (project / "params.yaml").write_text(text.replace(before, after))


def test_nothing_is_refused_where_nothing_has_changed(inputs: StageInputs) -> None:
    inputs.refuse_changed()


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("steps: 300", "steps: 301", "train.steps (300 -> 301)"),
        ("copies: 4", "copies: 5", "train.cache.copies (4 -> 5)"),
        ("size: 1", "size: 2", "records.size (1 -> 2)"),
        ("steps: 300, ", "", "train.steps (300 -> None)"),
        ("train: {", "train: {{", "params.yaml (it cannot be read any more)"),
    ],
    ids=["a value", "a value in a value", "a key of a section", "a removed key", "no YAML"],
)
def test_a_changed_param_is_refused(project: Path, inputs: StageInputs, before: str, after: str, named: str) -> None:
    replace(project, before, after)
    with pytest.raises(PipelineError, match=r"changed while the stage ran: .* run `dvc repro` again") as raised:
        inputs.refuse_changed()
    assert named in str(raised.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [("workers: null", "workers: 2"), ("pictures: 3", "pictures: 4"), ("report:", "# a comment\nreport:")],
    ids=["a key that DVC does not watch", "a section of another stage", "a comment"],
)
def test_what_the_stage_does_not_depend_on_may_change(
    project: Path, inputs: StageInputs, before: str, after: str
) -> None:
    replace(project, before, after)
    inputs.refuse_changed()


def test_a_param_that_was_changed_back_is_not_refused(project: Path, inputs: StageInputs) -> None:
    replace(project, "steps: 300", "steps: 301")
    replace(project, "steps: 301", "steps: 300")
    inputs.refuse_changed()


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("data/records/a.tfrecord", "data/records/a.tfrecord"),
        ("data/records/sub/b.tfrecord", "data/records/sub/b.tfrecord"),
        ("data/records/new.tfrecord", "data/records/new.tfrecord (new)"),
        ("models/base/ckpt", "models/base/ckpt"),
        ("configs/small.config", "configs/small.config"),
    ],
)
def test_a_changed_dependency_is_refused(project: Path, inputs: StageInputs, name: str, named: str) -> None:
    (project / name).write_text("changed")
    with pytest.raises(PipelineError, match="changed while the stage ran") as raised:
        inputs.refuse_changed()
    assert f"ran: {named}; " in str(raised.value)


def test_a_change_of_one_length_is_seen(project: Path, inputs: StageInputs) -> None:
    path = project / "models/base/ckpt"
    time = path.stat().st_mtime_ns
    path.write_text("C")
    os.utime(path, ns=(time + 1, time + 1))
    with pytest.raises(PipelineError, match="models/base/ckpt"):
        inputs.refuse_changed()


def test_a_removed_dependency_is_refused(project: Path, inputs: StageInputs) -> None:
    (project / "data/records/a.tfrecord").unlink()
    with pytest.raises(PipelineError, match=r"data/records/a.tfrecord \(removed\)"):
        inputs.refuse_changed()


@pytest.mark.parametrize("name", ["models/base/other", "models/trained/x", "data/records/.DS_Store", "notes.txt"])
def test_files_that_are_no_dependency_may_change(project: Path, inputs: StageInputs, name: str) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("changed")
    inputs.refuse_changed()


def test_many_changes_are_counted(project: Path, inputs: StageInputs) -> None:
    for number in range(9):
        (project / f"data/records/{number}").touch()
    with pytest.raises(PipelineError, match="and 6 more"):
        inputs.refuse_changed()


def test_code_is_compared_with_what_was_imported(project: Path) -> None:
    """By content: an editor that saves a file unchanged changes nothing."""
    code = mark_code()
    (project / "dvc.yaml").write_text(f"stages: {{train: {{deps: ['{CODE}/gate', '{CODE}/errors.py']}}}}")
    StageInputs("train", Path("params.yaml"), code).refuse_changed()

    edited = str(CODE / "gate/box_checks.py")
    assert edited in code
    with pytest.raises(PipelineError, match=r"tasks/gate/box_checks\.py"):
        StageInputs("train", Path("params.yaml"), {**code, edited: "of the edited file"}).refuse_changed()
    elsewhere = str(CODE / "training/loop.py")
    StageInputs("train", Path("params.yaml"), {**code, elsewhere: "of the edited file"}).refuse_changed()


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "stages: [train]",
        "stages: {train: {cmd: x}}",
        "stages: {train: {deps: x, params: 3}}",
        "{{",
        "a: \x00",
    ],
    ids=["missing", "empty", "a list", "neither params nor deps", "no lists", "no YAML", "binary"],
)
def test_where_dvc_yaml_names_no_dependencies_none_are_compared(project: Path, content: str | None) -> None:
    (project / "dvc.yaml").unlink()
    if content is not None:
        (project / "dvc.yaml").write_text(content)
    inputs = StageInputs("train", Path("params.yaml"), mark_code())
    replace(project, "steps: 300", "steps: 301")
    inputs.refuse_changed()


def test_a_broken_params_file_is_left_to_the_stage(project: Path) -> None:
    (project / "params.yaml").write_text("{{")
    StageInputs("train", Path("params.yaml"), mark_code())


def test_params_that_changed_before_the_stage_read_them_are_refused_at_once(project: Path, inputs: StageInputs) -> None:
    inputs.refuse_changed_params()
    replace(project, "steps: 300", "steps: 301")
    with pytest.raises(PipelineError, match=r"train\.steps"):
        inputs.refuse_changed_params()
