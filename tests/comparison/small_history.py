"""A small project with two runs in its history, as far as a run in between needs it; the stages train nothing."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from tasks.artifacts.model_detections import write_model_detections
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.dataset.split_files import read_coco_split
from tests.commands.two_runs import IMAGES, world, write_run

# What each stage of the lock file has as results, by their places in the project.
_OUTS = {
    "split": ["data/splits"],
    "records": ["data/records"],
    "checkpoint": ["models/base"],
    "train": ["metrics/train.json"],
    "export": ["models/exported"],
    "evaluate": ["data/detections"],
}
# The report must not run.
_DVC_YAML = """
stages:
  train:
    cmd: python tasks/code.py train
    params: [train]
    deps: [tasks/code.py, data/records, models/base]
    outs: [models/trained]
  evaluate:
    cmd: python tasks/code.py evaluate
    deps: [models/trained, data/splits, tasks/code.py]
    outs: [data/detections]
  report:
    cmd: "false"
    deps: [data/detections]
    outs: [reports]
"""
# Images of the first run, and of both.
FIRST, SHARED = 30, 25
TRAINING_S = 200.0


@dataclass
class FakeStages:
    """Stages of a run in between that find what they are told; `calls` has the folder and the stages of each."""

    found: Sequence[Detections]
    calls: list[tuple[Path, list[str]]] = field(default_factory=list)
    error: BaseException | None = None

    def __call__(self, project: Path, stages: Sequence[str]) -> None:
        self.calls.append((project, list(stages)))
        if self.error is not None:
            raise self.error
        test = read_coco_split(project / "data/splits", "test")
        by_name = {f"{i:02}.jpg": own for i, own in enumerate(self.found)}
        own = [by_name[Path(image.file_name).name] for image in test.images]
        write_model_detections(project / "data/detections", "saved_model", test, own)


def write_project(root: Path, truth: Dataset, found: Sequence[Detections], *, code: str = "", steps: int) -> None:
    """A run in a folder, with records, base weights, code and what its training took."""
    write_run(root, truth, list(found), steps=steps)
    contents = {
        "data/records/train.tfrecord": f"records of {len(truth.images)} images",
        "models/base/weights": "base",
        "metrics/train.json": json.dumps(_training()),
        "tasks/code.py": code,
        ".gitignore": "/data/\n/models/\n/metrics/\n/photos/\n",
        "dvc.yaml": _DVC_YAML,
    }
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")


def commit(root: Path, name: str) -> None:
    """Commit the run in `root`, with its results in dvc.lock by their MD5 and in DVC's cache."""
    code = (root / "tasks/code.py").read_bytes()
    stages: dict[str, dict[str, object]] = {
        stage: {"outs": [{"path": path, "md5": _stored(root, root / path)} for path in paths]}
        for stage, paths in _OUTS.items()
    }
    stages["train"]["deps"] = [
        {"path": "tasks/code.py", "md5": hashlib.md5(code, usedforsecurity=False).hexdigest()},
        {"path": "data/records", "md5": "0" * 32},
    ]
    if (root / "photos").is_dir():
        stages["ingest"] = {"deps": [{"path": "photos", "md5": _stored(root, root / "photos")}]}
    (root / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    commit_files(root, name)


def commit_files(root: Path, name: str) -> None:
    """Commit what git does not ignore, as it is."""
    for command in (["add", "--all"], ["commit", "--quiet", "--message", name]):
        _git(root, *command)


def history(root: Path) -> tuple[Dataset, list[list[Detections]]]:
    """A repository with two commits that differ in data, `train.steps` and, where `code` is given, code.

    Returns:
        All images, and what four detectors find in each: those of before, after, new data and new params.
    """
    truth, found = world([0.4, 1.0, 0.8, 0.6])
    root.mkdir(exist_ok=True)
    _git(root, "init", "--quiet")
    for key, value in (("user.name", "test"), ("user.email", "test@example.invalid")):
        _git(root, "config", key, value)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], cwd=root, check=True)
    write_project(root, part(truth, range(FIRST)), found[0][:FIRST], steps=100)
    commit(root, "before")
    last = range(FIRST - SHARED, IMAGES)
    write_project(root, part(truth, last), [found[1][i] for i in last], steps=300)
    commit(root, "after")
    return truth, list(found)


def part(truth: Dataset, places: Sequence[int]) -> Dataset:
    return replace(truth, images=tuple(truth.images[place] for place in places))


def forget_photos(root: Path) -> None:
    """Remove the photos, and every version of them in the cache."""
    shutil.rmtree(root / "photos")
    lock = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))
    md5 = lock["stages"]["ingest"]["deps"][0]["md5"]
    (root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()


def _stored(root: Path, path: Path) -> str:
    if path.is_file():
        return _store(root, path.read_bytes())
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listed = [{"relpath": str(file.relative_to(path)), "md5": _store(root, file.read_bytes())} for file in files]
    return _store(root, json.dumps(listed).encode(), ".dir")


def _store(root: Path, content: bytes, suffix: str = "") -> str:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
    file = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return md5


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def _training() -> dict[str, object]:
    numbers = (
        "steps", "best_step", "loss", "step_ms_median", "images_per_s", "clipped_steps", "waiting_s", "validating_s",
        "peak_memory_mb", "batch_size", "trainable_variables", "frozen_variables", "frozen_max_abs_change",
        "frozen_statistics_max_abs_change",
    )  # fmt: skip
    took: dict[str, object] = {"seconds": TRAINING_S - 20, "startup_s": 20}
    return {**dict.fromkeys(numbers, 1), "stopped_by": "steps", "best_mAP": None, "modules": {}, **took}
