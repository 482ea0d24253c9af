"""`python -m tasks compare`: runs by folder, commit and experiment name, and what the comparison shows."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tasks.__main__ import main
from tasks.dataset.detections import Detections
from tasks.params.recipes import RECIPES
from tests.commands.two_runs import IMAGES, world, write_run


def compare(monkeypatch: pytest.MonkeyPatch, where: Path, *arguments: str) -> int:
    monkeypatch.chdir(where)
    return main(["compare", *arguments])


def test_a_better_run_in_another_folder_is_better_and_the_reverse_is_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, (poor, good) = world([0.4, 1.0])
    write_run(tmp_path / "poor", truth, poor, steps=100)
    write_run(tmp_path / "good", truth, good, steps=300)
    assert compare(monkeypatch, tmp_path, "poor", "good", "--out", "found.md") == 0
    said = capsys.readouterr().out
    assert (tmp_path / "found.md").read_text(encoding="utf-8").strip() == said.strip().removesuffix("found.md").strip()
    assert f"**good** against **poor**, on the same {IMAGES} test images" in said
    assert "| `train.steps` | 100 | 300 |" in said
    (row,) = [line.split("|") for line in said.splitlines() if line.startswith("| mAP ")]
    assert row[6].strip() == "**better**"
    low, high = (float(end) for end in row[5].split(" to "))
    assert 0 < low < float(row[4]) < high
    assert compare(monkeypatch, tmp_path, "good", "poor") == 0
    assert "**worse**" in capsys.readouterr().out
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert page.count('class="text verdict worse">worse<') >= 2
    assert "http" not in page.split("</head>")[1]
    assert compare(monkeypatch, tmp_path, "good", "poor", "--out", "found.txt") == 1
    assert "--out found.txt: a file that ends in .html" in capsys.readouterr().err


def test_runs_by_two_recipes_differ_in_what_the_recipes_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, (poor, good) = world([0.4, 1.0])
    # Without quotes in the file: PyYAML reads false.
    write_run(tmp_path / "poor", truth, poor, recipe="quick", learning_rate=0.5, second_phase=False)
    write_run(tmp_path / "good", truth, good, recipe="standard")
    assert compare(monkeypatch, tmp_path, "poor", "good") == 0
    said = capsys.readouterr().out
    assert "| `train.recipe` | quick | standard |" in said
    assert f"| `train.steps` | 300 | {RECIPES['standard']['steps']} |" in said
    assert "| `train.learning_rate` | 0.5 | 0.001 |" in said
    assert "| `train.seed`" not in said
    assert "| `train.second_phase`" not in said


def test_the_page_shows_the_boxes_that_only_one_run_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, (found,) = world([1.0])
    boxes = truth.images[7].boxes
    best = Detections(boxes, truth.images[7].classes, np.full(len(boxes), 0.9))
    nothing = Detections(boxes[:0], (), np.zeros(0))
    for name, own in (("none", nothing), ("all", best)):
        write_run(tmp_path / name, truth, [*found[:7], own, *found[8:]])
    assert compare(monkeypatch, tmp_path / "none", ".", "../all") == 0
    page = (tmp_path / "none/compare.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 1
    assert page.count('<g class="better">') == len(boxes)
    assert 'title="07.jpg"' in page
    assert "data:image/jpeg;base64,/9j/" in page
    counts = Counter(truth.images[7].classes)
    assert f"found now: {', '.join(f'{boxes} {name}' for name, boxes in counts.items())}</span>" in page


def test_an_image_that_changed_since_has_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, (poor, good) = world([0.4, 1.0])
    for name, own in (("poor", poor), ("good", good)):
        write_run(tmp_path / name, truth, own)
    # What lies where the command is started is nobody's photo.
    shutil.copytree(tmp_path / "good/photos", tmp_path / "photos")
    for folder in (tmp_path / "poor", tmp_path / "good"):
        for photo in (folder / "photos").iterdir():
            Image.new("RGB", (4, 4), "red").save(photo)
    assert compare(monkeypatch, tmp_path, "poor", "good") == 0
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == page.count("no picture: the image was changed since, or is not here") > 1
    shutil.rmtree(tmp_path / "poor/photos")
    shutil.move(tmp_path / "photos", tmp_path / "poor/photos")
    assert compare(monkeypatch, tmp_path, "poor", "good") == 0
    assert "no picture" not in (tmp_path / "compare.html").read_text(encoding="utf-8")


def test_file_and_class_names_are_never_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, (poor, good) = world([0.4, 1.0])
    name = "<img src=x> [a](b) **c** | d"
    truth = replace(
        truth,
        classes=tuple(name if own == "cat" else own for own in truth.classes),
        images=tuple(
            replace(i, classes=tuple(name if own == "cat" else own for own in i.classes)) for i in truth.images
        ),
    )
    for folder, own in (("poor", poor), ("good", good)):
        renamed = [replace(each, classes=tuple(name if c == "cat" else c for c in each.classes)) for each in own]
        write_run(tmp_path / folder, truth, renamed)
    assert compare(monkeypatch, tmp_path, "poor", "good") == 0
    assert r"| AP of &lt;img src=x> \[a\](b) \*\*c\*\* \| d |" in capsys.readouterr().out
    assert "<img src=x>" not in (tmp_path / "compare.html").read_text(encoding="utf-8")


def test_params_are_compared_as_the_results_were_made_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, (poor, good) = world([0.4, 1.0])
    write_run(tmp_path / "poor", truth, poor, steps=100)
    write_run(tmp_path / "good", truth, good, steps=900)
    lock = {"stages": {"train": {"params": {"params.yaml": {"train": {"steps": 300, "seed": 1}}}}, "sample": {}}}
    (tmp_path / "good/dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    assert compare(monkeypatch, tmp_path, "poor", "good") == 0
    said = capsys.readouterr().out
    assert "| `train.steps` | 100 | 300 |" in said
    assert "params.yaml of good was changed after its results were made (train.steps)" in said
    assert "params.yaml of good was changed" in (tmp_path / "compare.html").read_text(encoding="utf-8")
    (tmp_path / "good/dvc.lock").write_text("stages: [", encoding="utf-8")
    assert compare(monkeypatch, tmp_path, "poor", "good") == 1
    assert "good/dvc.lock: not YAML" in capsys.readouterr().err


def test_equal_skill_gives_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, (one, other) = world([1.0, 1.0])
    write_run(tmp_path / "one", truth, one)
    write_run(tmp_path / "other", truth, other)
    assert compare(monkeypatch, tmp_path, "one", "other") == 0
    said = capsys.readouterr().out
    assert "Their params are the same." in said
    assert next(line for line in said.splitlines() if line.startswith("| mAP ")).endswith("| can't tell |")


def test_a_name_that_is_no_run_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, (found,) = world([1.0])
    write_run(tmp_path, truth, found)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert compare(monkeypatch, tmp_path, ".", "--", "-nothing") == 1
    assert "-nothing: neither a folder with a params.yaml, nor a git revision" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "data/detections")
    assert compare(monkeypatch, tmp_path, ".", ".") == 1
    assert "data/detections: missing; run `dvc repro` in . first" in capsys.readouterr().err
    (tmp_path / "params.yaml").write_text("paths: 3")
    assert compare(monkeypatch, tmp_path, ".", ".") == 1
    assert "params.yaml: no section `paths:` in it" in capsys.readouterr().err


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a poor run in the last commit but one, a good one in the last, and an experiment of it."""
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "test")
        monkeypatch.setenv(f"{name}_EMAIL", "test@example.invalid")
    truth, (poor, good) = world([0.4, 1.0])

    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=os.environ)

    run("git", "init", "--quiet")
    run(sys.executable, "-m", "dvc", "init", "--quiet")
    for found, steps in ((poor, 100), (good, 300)):
        write_run(tmp_path, truth, found, steps=steps)
        run(sys.executable, "-m", "dvc", "add", "--quiet", "data/splits", "data/detections", "models/exported")
        run("git", "add", "--all")
        run("git", "commit", "--quiet", "--message", f"{steps} steps")
    run("git", "update-ref", "refs/exps/ab/cdef/brisk-name", "HEAD")
    return tmp_path


@pytest.mark.slow
def test_commits_and_experiments_are_read_from_the_cache(
    history: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(history / "data")
    assert compare(monkeypatch, history, "HEAD~1", "brisk-name") == 0
    said = capsys.readouterr().out
    assert "**brisk-name (" in said.splitlines()[0]
    assert "against **HEAD~1 (" in said.splitlines()[0]
    assert "| `train.steps` | 100 | 300 |" in said
    assert "**better**" in said
    subprocess.run(["git", "update-ref", "refs/exps/aa/bbbb/brisk-name", "HEAD~1"], cwd=history, check=True)
    assert compare(monkeypatch, history, "HEAD~1", "brisk-name") == 1
    assert "brisk-name: the name of more than one: " in capsys.readouterr().err
    subprocess.run(["git", "tag", "photos"], cwd=history, check=True)
    shutil.copy(history / "params.yaml", history / "photos")
    assert compare(monkeypatch, history, "HEAD~1", "photos") == 1
    assert "in photos first; the git revision of that name is " in capsys.readouterr().err
    shutil.rmtree(history / ".dvc/cache")
    assert compare(monkeypatch, history, "HEAD~1", "HEAD") == 1
    assert "data/splits of HEAD~1: not in DVC's cache" in capsys.readouterr().err
