"""`python -m tasks compare --explain`: with DVC, and stages that take no time in place of training."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tasks.__main__ import main
from tests import ctrl_c
from tests.commands.two_runs import world, write_run
from tests.comparison.small_history import commit, commit_files, history, part, write_project
from tests.small_project import wait_until

# `train` notes that it ran; the detector finds the boxes of so many of the test images: steps / 20, and one for each
# 5 images that are in the data.
CODE = r"""
import json, pathlib, re, sys
import yaml
if sys.argv[1] == "train":
    with open(pathlib.Path.cwd().parents[5] / "trainings", "a") as file:
        file.write("trained\n")
    steps = yaml.safe_load(pathlib.Path("params.yaml").read_text())["train"]["steps"]
    images = int(re.search(r"\d+", pathlib.Path("data/records/train.tfrecord").read_text())[0])
    pathlib.Path("models/trained").mkdir(parents=True)
    pathlib.Path("models/trained/number").write_text(str(steps // 20 + images // 5))
else:
    number = int(pathlib.Path("models/trained/number").read_text())
    truth = json.loads(pathlib.Path("data/splits/test.json").read_text())
    names = {each["id"]: each["file_name"] for each in truth["images"]}
    # From the first image that both runs have: what is not shared does not count.
    rows = [
        {"image_id": each["image_id"], "category_id": each["category_id"], "bbox": each["bbox"], "score": 0.9}
        for each in truth["annotations"]
        if int(names[each["image_id"]][:2]) < 5 + number
    ]
    pathlib.Path("data/detections").mkdir(parents=True)
    pathlib.Path("data/detections/saved_model.json").write_text(json.dumps(rows))
"""


# `python -m tasks`, from another folder than the project's.
_START = f"""
import sys
sys.path[0] = {str(Path(__file__).parents[2])!r}
from tasks.__main__ import main, raise_at_ctrl_c
raise_at_ctrl_c()
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history whose runs have other data and other params, and both the same code."""
    folder = tmp_path / "project"
    truth, found = history(folder)
    for places, steps in ((range(30), 100), (range(5, 40), 300)):
        own = [found[0][i] for i in places]
        write_project(folder, part(truth, places), own, code=CODE, steps=steps)
        commit(folder, f"{steps} steps")
    monkeypatch.chdir(folder)
    return folder


def trainings(root: Path) -> int:
    return (root / "trainings").read_text(encoding="utf-8").count("trained")


def row(text: str, figure: str = "mAP") -> list[str]:
    after = text.partition("## What explains the difference")[2]
    (found,) = [line for line in after.splitlines() if line.startswith(f"| {figure} ")]
    return [cell.strip() for cell in found.strip("|").split("|")]


@pytest.mark.slow
def test_the_difference_is_taken_apart_and_the_run_in_between_is_made_once(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "HEAD~1", "HEAD", "--explain", "--out", "found.md"]) == 0
    out, err = capfd.readouterr()
    assert "compare: a run in between: the data of HEAD (" in err
    assert "training took 3 minutes in HEAD~1" in err
    assert "Running stage 'evaluate'" in err
    assert "report" not in err
    text = (root / "found.md").read_text(encoding="utf-8")
    assert text in out
    cells = row(text)
    whole, data, params = (float(cells[i]) for i in (1, 2, 5))
    assert whole == pytest.approx(data + params, abs=1e-9)
    # Both runs detect the same of the same images: what the one brings the other takes back.
    assert (whole, data > 0.1) == (0.0, True)
    assert cells[4] == "**better**"
    assert cells[7] == "**worse**"
    assert "Data are the images, boxes, splits and records, and what made them: no param differs." in text
    assert "Params are what came after the records: train.steps." in text
    assert "It says nothing of another train.seed" in text
    assert trainings(root) == 1
    # Remembered.
    assert main(["compare", "HEAD~1", "HEAD", "--explain", "--out", "again.md"]) == 0
    assert not capfd.readouterr().err
    assert (root / "again.md").read_text(encoding="utf-8") == text
    # In DVC's cache.
    for folder in (root / ".dvc/tmp/explain/results").iterdir():
        folder.rename(root / "away")
    assert main(["compare", "HEAD~1", "HEAD", "--explain", "--out", "again.md"]) == 0
    assert "Stage 'train' is cached - skipping run" in capfd.readouterr().err
    assert (root / "again.md").read_text(encoding="utf-8") == text
    assert trainings(root) == 1


@pytest.mark.slow
def test_both_orders_train_a_second_run_and_the_page_has_the_section(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "HEAD~1", "HEAD", "--explain", "--both-orders"]) == 0
    out, err = capfd.readouterr()
    assert trainings(root) == 2
    assert err.count("Running stage 'train'") == err.count("compare: a run in between") == 2
    assert "Each part is the mean over two orders, measured with two runs in between." in out
    cells = row(out)
    assert float(cells[1]) == pytest.approx(float(cells[2]) + float(cells[5]), abs=1e-9)
    page = (root / "compare.html").read_text(encoding="utf-8")
    assert '<h2 id="explanation-title">What explains the difference</h2>' in page
    assert '<td class="text">data</td>' in page
    assert "This command trains it" not in page


def test_without_the_option_one_line_says_what_it_would_do(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "HEAD~1", "HEAD"]) == 0
    text = capfd.readouterr().out
    assert re.search(r"a run in between: the data of HEAD \(\w+\), the params of HEAD~1 \(\w+\)\. This command", text)
    assert re.search(r"; training took 3 minutes in HEAD~1 \(\w+\) and 3 minutes in HEAD \(\w+\):", text)
    assert "`python -m tasks compare HEAD~1 HEAD --explain`." in text
    assert "<code>python -m tasks compare HEAD~1 HEAD --explain</code>" in (root / "compare.html").read_text("utf-8")
    assert "What explains" not in text
    assert main(["compare", ".", "HEAD"]) == 0
    assert "--explain" not in capfd.readouterr().out


@pytest.mark.slow
def test_code_that_was_committed_after_the_results_were_made_is_named(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = (root / "dvc.lock").read_text(encoding="utf-8")
    (root / "tasks/code.py").write_text(CODE + "\n# Another.\n", encoding="utf-8")
    commit(root, "code")
    (root / "dvc.lock").write_text(lock, encoding="utf-8")
    commit_files(root, "the results of before")
    assert main(["compare", "HEAD", "HEAD~3", "--explain", "--out", "found.md"]) == 0
    assert "Code was changed after the results were made and before they were committed (tasks/code.py)." in (
        capfd.readouterr().out
    )


@pytest.mark.slow
def test_code_that_differs_counts_with_the_params_and_is_named(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "tasks/code.py").write_text(CODE + "\n# Another.\n", encoding="utf-8")
    commit(root, "other code")
    assert main(["compare", "HEAD~2", "HEAD", "--explain", "--out", "found.md"]) == 0
    text = capfd.readouterr().out
    assert "| figure | difference | data | 95 % interval | | params and code | 95 % interval | |" in text
    assert "The code that trains and measures differs too (tasks/code.py). It counts with the params" in text
    assert "Code was changed after the results" not in text


def test_where_one_side_differs_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    truth, (poor, good) = world([0.4, 1.0])
    write_run(tmp_path / "poor", truth, poor, steps=100)
    write_run(tmp_path / "good", truth, good, steps=300)
    write_run(tmp_path / "fewer", replace(truth, images=truth.images[1:]), poor[1:], steps=100)
    for after, sentence in (
        ("good", "The data do not differ: all of the difference comes from the params, and from chance in training."),
        ("fewer", "The params do not differ: all of the difference comes from the data, and from chance in training."),
        ("poor", "Neither data nor params differ: what differs comes from chance in training."),
    ):
        assert main(["compare", "poor", after, "--explain"]) == 0
        out, err = capfd.readouterr()
        assert sentence in out
        assert "Whether the code differs is not known, as a run has no dvc.lock" in out
        assert not err
        assert sentence in (tmp_path / "compare.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_after_ctrl_c_nothing_looks_whole_and_the_same_command_goes_on(root: Path) -> None:
    wait = "import time\n    time.sleep(0 if pathlib.Path('models/resume').exists() else 600)\n    steps = yaml"
    # Python may lose a Ctrl-C that comes while it imports.
    at_once = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    (root / "tasks/code.py").write_text(at_once + CODE.replace("steps = yaml", wait), encoding="utf-8")
    start = [sys.executable, "-c", _START, "compare", ".", "HEAD~1", "--explain", "--out", "found.md"]
    with ctrl_c.reaches_children():
        process = subprocess.Popen(start, cwd=root, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        wait_until((root / "trainings").is_file, 300)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.rstrip().endswith("compare: stopped; the same command goes on from the last step that training saved")
    assert not (root / "found.md").exists()
    assert not list((root / ".dvc/tmp/explain").glob("results/*"))
    # What the training had saved is still there.
    (project,) = root.glob(".dvc/tmp/explain/unfinished/*/tree")
    (project / "models/resume").mkdir(parents=True)
    assert subprocess.run(start, cwd=root, check=False, capture_output=True).returncode == 0
    assert trainings(root) == 2
    assert "## What explains the difference" in (root / "found.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_failed_stage_is_named_and_leaves_nothing_that_looks_whole(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))
    (root / "tasks/code.py").write_text("raise SystemExit('no luck')", encoding="utf-8")
    assert main(["compare", ".", "HEAD~1", "--explain"]) == 1
    err = capfd.readouterr().err
    assert "no luck" in err
    assert "compare: the run in between failed, see above; it lies in .dvc/tmp/explain/unfinished/" in err
    assert not (root / "compare.html").exists()
    assert not list((root / ".dvc/tmp/explain").glob("results/*"))
    assert lock == yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))


def test_both_orders_alone_is_refused(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "HEAD~1", "HEAD", "--both-orders"]) == 1
    assert "--both-orders: says how --explain takes the difference apart; give both" in capfd.readouterr().err
