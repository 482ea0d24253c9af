"""`python -m tasks diff`: runs by folder and commit, what is printed, and the page."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from tasks.__main__ import main
from tasks.commands import diff as module
from tasks.dataset.coco_json import read_coco, write_coco
from tasks.dataset.dataset import Dataset, Problem, flags
from tests.commands.two_runs import world, write_run

RESULTS = ("data/splits", "data/validated/annotations.json")


def with_problem(folder: Path, problem: Problem) -> None:
    path = folder / "data/validated/annotations.json"
    write_coco(replace(read_coco(path), problems=(problem,)), path)


def edited(truth: Dataset) -> Dataset:
    """Without the first image, with a box less in the third, and with all boxes of the fourth moved."""
    first, second, third = truth.images[1:4]
    second = second.keep(np.arange(len(second.classes)) > 0)
    third = replace(third, boxes=third.boxes + 2.0)
    return replace(truth, images=(first, second, third, *truth.images[4:]))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The folders `before` and `after`, in the working folder; gives what `before` holds."""
    monkeypatch.chdir(tmp_path)
    truth, (found,) = world([1.0])
    write_run(tmp_path / "before", truth, found)
    write_run(tmp_path / "after", edited(truth), found[1:])
    with_problem(tmp_path / "after", Problem("tiny_box", "photos/05.jpg", "object 1 (cat): 1 x 1 px", "dropped_box"))
    return truth


def test_what_changed_is_counted_with_examples(
    runs: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", "before", "after"]) == 0
    text = capsys.readouterr().out
    lost, fewer, moved = runs.images[0], runs.images[2], runs.images[3]
    count = len(lost.classes)
    assert f"- 1 removed: `00.jpg` (test, {count} box{'es' if count > 1 else ''})" in text
    assert f"- 1 removed: `02.jpg` {fewer.classes[0]} [" in text
    assert f"- {len(moved.boxes)} moved: `03.jpg` {moved.classes[0]} [" in text
    assert "- 1 `tiny_box` came: `photos/05.jpg` object 1 (cat): 1 x 1 px (dropped box)" in text
    assert "`python -m tasks compare before after` compares the figures on the test images that both runs share" in text
    assert "`python -m tasks explain photos/05.jpg` prints all" in text
    assert text.rstrip().endswith("diff.html")
    page = (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 3
    # The removed image is in the folder `before` still.
    assert page.count("data:image/jpeg;base64,/9j/") == 3
    assert page.count('<g class="worse">') == count + 1 + len(moved.boxes)
    assert page.count('<g class="better">') == len(moved.boxes)
    assert "http" not in page.split("</head>")[1]


def test_markdown_is_written_where_the_name_ends_so(
    runs: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", "before", "after", "--out", "found.md"]) == 0
    text = (tmp_path / "found.md").read_text(encoding="utf-8")
    assert text.startswith("The data of **after** against **before**\n")
    assert "object 1 (cat): 1 x 1 px (dropped box)" in text
    assert main(["diff", "before", "after", "--out", "found.txt"]) == 1
    assert "--out found.txt: a file that ends in .html" in capsys.readouterr().err


def test_equal_data_are_reported_in_one_sentence(
    runs: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", "before", "before"]) == 0
    text = capsys.readouterr().out
    boxes = sum(len(image.classes) for image in runs.images)
    sentence = f"The data are the same: 40 images with {boxes} boxes, their splits, and what the gate found."
    assert sentence in text
    assert "`dvc repro split` reads files that you have changed since" in text
    page = (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert sentence in page
    assert "<figure>" not in page


def test_a_page_shows_at_most_so_many_pictures_and_every_kind_of_change(
    runs: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_PICTURES", 2)
    assert main(["diff", "before", "after"]) == 0
    page = (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 2
    assert "2 images are shown, 1 are not" in page


def test_an_image_with_very_many_changed_boxes_shows_some(
    runs: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_DRAWN", 1)
    boxes = runs.images[0].boxes[[0, 0, 0]]
    many = replace(runs.images[0], boxes=boxes, classes=("cat",) * 3, difficult=flags(3), iscrowd=flags(3))
    write_run(tmp_path / "many", replace(runs, images=(many, *runs.images[1:])), [])
    assert main(["diff", "before", "many"]) == 0
    page = (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert page.count('<g class="worse">') + page.count('<g class="better">') == 1
    assert "1 of " in page
    assert " boxes are drawn" in page


def test_params_of_the_data_that_changed_since_are_named(
    runs: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_with = {"split": {"seed": 99}, "train": {"batch_size": 99}}
    lock = {"stages": {"split": {"params": {"params.yaml": made_with}}}}
    (tmp_path / "after/dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    assert main(["diff", "before", "after"]) == 0
    note = "params.yaml of after was changed after its results were made (split.seed): this compares the results as"
    assert note in capsys.readouterr().out
    assert note in (tmp_path / "diff.html").read_text(encoding="utf-8")


def test_names_from_the_data_are_never_markup(
    runs: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "<img src=x>\u202e"
    truth = replace(
        runs,
        classes=tuple(name if own == "cat" else own for own in runs.classes),
        images=tuple(
            replace(i, classes=tuple(name if own == "cat" else own for own in i.classes)) for i in runs.images
        ),
    )
    write_run(tmp_path / "named", truth, [])
    with_problem(tmp_path / "named", Problem(name, f"{name}.xml", f"{name}\x1b[2J", "kept"))
    assert main(["diff", "before", "named"]) == 0
    text = capsys.readouterr().out
    assert "\u202e" not in text
    assert "\x1b" not in text
    page = (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "cat to &lt;img src=x&gt;\ufffd" in page


def test_a_name_that_is_no_run_and_a_run_without_data_are_named(
    runs: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert main(["diff", "before", "nothing"]) == 1
    assert "diff: nothing: neither a folder with a params.yaml, nor a git revision" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "after/data/validated")
    assert main(["diff", "before", "after"]) == 1
    text = capsys.readouterr().err
    assert "after/data/validated/annotations.json: missing; run `dvc repro split` in after first" in text
    assert not (tmp_path / "diff.html").exists()


def commit(root: Path, name: str) -> None:
    """Commit the results in `root` as DVC stores them: in dvc.lock by their MD5, and in its cache."""

    def stored(content: bytes, suffix: str = "") -> str:
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
        file = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return md5

    splits, validated = (root / path for path in RESULTS)
    listed = [{"relpath": file.name, "md5": stored(file.read_bytes())} for file in sorted(splits.iterdir())]
    outs = [
        {"path": RESULTS[0], "md5": stored(json.dumps(listed).encode(), ".dir")},
        {"path": RESULTS[1], "md5": stored(validated.read_bytes())},
    ]
    (root / "dvc.lock").write_text(yaml.safe_dump({"stages": {"split": {"outs": outs}}}), encoding="utf-8")
    for command in (["add", "params.yaml", "dvc.lock"], ["commit", "--quiet", "--message", name]):
        subprocess.run(["git", *command], cwd=root, check=True)


def test_commits_are_read_from_the_cache_and_a_missing_result_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "test")
        monkeypatch.setenv(f"{name}_EMAIL", "test@example.invalid")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    truth, (found,) = world([1.0])
    write_run(tmp_path, truth, found)
    commit(tmp_path, "before")
    write_run(tmp_path, edited(truth), found[1:])
    commit(tmp_path, "after")
    shutil.rmtree(tmp_path / "data")
    assert main(["diff", "HEAD~1", "HEAD"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("The data of **HEAD (")
    assert "- 1 removed: `00.jpg` (test, " in text
    assert "`python -m tasks compare HEAD~1 HEAD` compares" in text
    shutil.rmtree(tmp_path / ".dvc")
    assert main(["diff", "HEAD~1", "HEAD"]) == 1
    text = capsys.readouterr().err
    assert "data/splits of HEAD~1: not in DVC's cache" in text
    assert "`git checkout HEAD~1 && dvc repro split` makes it again" in text
