"""The run in between: what its folder holds, that it is remembered, and that it goes on where it was broken off."""

import errno
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tasks.comparison import run_between
from tasks.comparison.between_key import Between
from tasks.comparison.revisions import read_both
from tasks.comparison.run_between import PLACE, results_between
from tasks.comparison.two_runs import NEEDED, OPTIONAL, read_results
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import DataError, ParamsError, PipelineError, StoppedError
from tests import ctrl_c
from tests.commands.two_runs import IMAGES
from tests.comparison.small_history import FIRST, SHARED, FakeStages, forget_photos, history, write_project

Found = list[list[Detections]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dataset, Found]:
    root = tmp_path_factory.mktemp("history")
    return (root, *history(root))


@pytest.fixture
def project(
    made: tuple[Path, Dataset, Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Found, Between]:
    """A copy of the history, and the run with the data of its last commit and the params of the one before."""
    root, _, found = made
    shutil.copytree(root, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project", found, between("HEAD~1", "HEAD")


def between(before: str, after: str) -> Between:
    first, second = read_both(before, after, NEEDED, read_results, optional=OPTIONAL)
    return Between(data=second, params=first)


def test_it_has_the_data_of_one_run_and_params_code_and_base_weights_of_the_other(
    project: tuple[Path, Found, Between],
) -> None:
    root, found, own = project
    (root / "tasks/code.py").write_text("not committed", encoding="utf-8")
    seen: dict[str, object] = {}

    def run(folder: Path, stages: Sequence[str]) -> None:
        FakeStages(found[2])(folder, stages)
        seen["stages"] = list(stages)
        for name in ("data/records/train.tfrecord", "models/base/weights", "tasks/code.py"):
            seen[name] = (folder / name).read_text(encoding="utf-8")
        seen["steps"] = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))["train"]["steps"]
        seen["photos"] = sorted(path.name for path in (folder / "photos").iterdir())
        assert 'dir = "../../../../../../cache"' in (folder / ".dvc/config.local").read_text(encoding="utf-8")
        assert not (folder / ".git").exists()
        assert folder.resolve().is_relative_to((root / PLACE).resolve())

    results = results_between(own, Path(), run)
    first = FIRST - SHARED
    assert seen == {
        # Those that this dvc.yaml has: not the report, nor what makes the data.
        "stages": ["train", "evaluate"],
        "data/records/train.tfrecord": f"records of {IMAGES - first} images",
        "models/base/weights": "base",
        "tasks/code.py": "",
        "steps": 100,
        "photos": [f"{i:02}.jpg" for i in range(first, IMAGES)],
    }
    assert [len(each.scores) for each in results.detections] == [len(each.scores) for each in found[2][first:]]
    assert not list((root / PLACE / "unfinished").glob("*/"))


def test_a_second_call_runs_nothing_and_other_params_or_data_do(project: tuple[Path, Found, Between]) -> None:
    root, found, own = project
    stages = FakeStages(found[2])
    first = results_between(own, Path(), stages)
    second = results_between(between("HEAD~1", "HEAD"), Path(), stages)
    assert len(stages.calls) == 1
    assert [each.scores.tolist() for each in first.detections] == [each.scores.tolist() for each in second.detections]
    results_between(Between(data=own.params, params=own.data), Path(), stages)
    assert len(stages.calls) == 2
    # `.` has the params of HEAD as files, and its own code.
    results_between(between(".", "HEAD"), Path(), stages)
    (root / "tasks/code.py").write_text("2", encoding="utf-8")
    results_between(between(".", "HEAD"), Path(), stages)
    assert len(stages.calls) == 4


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PipelineError("a stage failed")], ids=["Ctrl-C", "a failure"])
def test_what_was_broken_off_is_no_result_and_goes_on_in_its_folder(
    project: tuple[Path, Found, Between], error: BaseException
) -> None:
    root, found, own = project
    stages = FakeStages(found[2], error=error)
    with pytest.raises(type(error)):
        results_between(own, Path(), stages)
    assert not list(root.glob(f"{PLACE}/results/*"))
    folder = stages.calls[0][0]
    (folder / "models/resume").mkdir(parents=True)
    stages.error = None
    results_between(own, Path(), stages)
    assert stages.calls[1][0] == folder
    assert len(list(root.glob(f"{PLACE}/results/*"))) == 1


@pytest.mark.parametrize(
    ("file", "content"),
    [("saved_model.json", "["), *(("other_code.json", each) for each in ("5", "{}", '"tasks"', "[1]"))],
)
def test_a_remembered_result_that_is_damaged_is_made_anew(
    file: str, content: str, project: tuple[Path, Found, Between]
) -> None:
    root, found, own = project
    stages = FakeStages(found[2])
    results_between(own, Path(), stages)
    (kept,) = root.glob(f"{PLACE}/results/*")
    (kept / file).write_text(content, encoding="utf-8")
    results_between(own, Path(), stages)
    assert len(stages.calls) == 2
    assert (kept / file).read_text(encoding="utf-8") != content


def test_a_disk_that_is_full_at_any_time_leaves_no_folder_that_looks_whole(
    project: tuple[Path, Found, Between], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found, own = project
    stages, write_text = FakeStages(found[2]), Path.write_text

    def full_disk(path: Path, text: str, **others: str) -> int:
        if "ready" not in path.name:
            return write_text(path, text, **others)
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full_disk)
        with pytest.raises(OSError, match="No space left"):
            results_between(own, Path(), stages)
    results_between(own, Path(), stages)
    assert len(stages.calls) == 1


def test_a_folder_that_was_not_whole_is_made_anew(project: tuple[Path, Found, Between]) -> None:
    root, found, own = project
    stages = FakeStages(found[2], error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        results_between(own, Path(), stages)
    (ready,) = root.glob(f"{PLACE}/unfinished/*/ready")
    ready.unlink()
    (stages.calls[0][0] / "leftover").touch()
    stages.error = None
    results_between(own, Path(), stages)
    assert len(stages.calls) == 2


def test_photos_that_are_nowhere_as_they_were_are_named(project: tuple[Path, Found, Between]) -> None:
    root, found, own = project
    shutil.rmtree(root / "photos")
    # The cache still has them, as ingest's folder.
    results_between(own, Path(), FakeStages(found[2]))
    shutil.rmtree(root / PLACE)
    (root / "photos").mkdir()
    forget_photos(root)
    with pytest.raises(DataError, match=r"35 of the 35 photos of HEAD \(\w+\) are not here as they were \(05.jpg, 06"):
        results_between(own, Path(), FakeStages(found[2]))


def test_results_that_are_nowhere_are_named(project: tuple[Path, Found, Between]) -> None:
    root, found, own = project
    shutil.rmtree(root / ".dvc/cache")
    with pytest.raises(PipelineError, match="data/splits of HEAD: not in DVC's cache"):
        results_between(own, Path(), FakeStages(found[2]))


@pytest.mark.parametrize("path", ["../elsewhere", "/elsewhere", ".", 3])
def test_params_that_write_outside_the_copy_are_refused(project: tuple[Path, Found, Between], path: object) -> None:
    _, found, own = project
    run = replace(
        own.params.run, params={**own.params.run.params, "paths": {"trained": path, "base": "b", "records": "r"}}
    )
    with pytest.raises(ParamsError, match=r"paths.trained of HEAD~1 .* does not lie inside the project's folder"):
        results_between(replace(own, params=replace(own.params, run=run)), Path(), FakeStages(found[2]))


def test_a_project_that_does_not_train_is_refused(project: tuple[Path, Found, Between]) -> None:
    root, found, _ = project
    (root / "dvc.yaml").write_text("stages: {report: {cmd: report}}", encoding="utf-8")
    stages = FakeStages(found[2])
    with pytest.raises(PipelineError, match=r"dvc\.yaml: no stages train and evaluate in it"):
        results_between(between(".", "HEAD~1"), Path(), stages)
    assert not stages.calls


def test_params_that_were_changed_since_are_those_of_the_results(project: tuple[Path, Found, Between]) -> None:
    root, found, _ = project
    lock = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))
    lock["stages"]["train"]["params"] = {"params.yaml": {"train": {"steps": 77}}}
    (root / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    steps = []

    def run(folder: Path, stages: Sequence[str]) -> None:
        FakeStages(found[2])(folder, stages)
        steps.append(yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))["train"]["steps"])

    results_between(between(".", "HEAD~1"), Path(), run)
    assert steps == [77]


def test_a_folder_without_git_or_dvc_is_refused(
    project: tuple[Path, Found, Between],
    tmp_path: Path,
    made: tuple[Path, Dataset, Found],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, found, own = project
    truth = made[1]
    write_project(tmp_path / "plain", truth, found[0], steps=9)
    plain = between(str(tmp_path / "plain"), "HEAD")
    with pytest.raises(PipelineError, match="plain: not a git repository"):
        results_between(plain, Path(), FakeStages(found[2]))
    with pytest.raises(PipelineError, match=r"no .dvc in it: --explain works in the project's folder"):
        results_between(own, tmp_path, FakeStages(found[2]))


def test_stages_that_ignore_ctrl_c_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = f"""
import os, pathlib, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
pathlib.Path("pid").write_text(str(os.getpid()))
os.kill({os.getpid()}, signal.SIGINT)
time.sleep(600)
"""
    monkeypatch.setattr(run_between, "ending_with_me", lambda command: [sys.executable, "-c", deaf])
    monkeypatch.setattr(run_between, "_MOST_ENDING_S", 0.2)
    with ctrl_c.reaches_children(), pytest.raises(StoppedError, match="stopped; the same command goes on"):
        run_between.repro(tmp_path, ["train"])
    assert not Path("/proc", (tmp_path / "pid").read_text()).exists()
