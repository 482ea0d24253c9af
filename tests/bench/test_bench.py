import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.evaluation import compare_evaluation
from bench.generated import generate, generate_scenes
from bench.prediction import rate_in
from bench.processes import Cost, cost_of, in_turns, ratio, spread
from bench.training import quality_lines
from bench.training_runs import Run, settled_step
from tasks.artifacts.evaluation import CocoFigures
from tasks.formats.pascal_voc import read_voc_folder

ROOT = Path(__file__).resolve().parents[2]


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.*")
    }


def test_an_image_is_the_same_in_a_small_set_and_in_a_large_one(tmp_path):
    generate(tmp_path / "small", 3)
    generate(tmp_path / "large", 7)
    small, large = digests(tmp_path / "small"), digests(tmp_path / "large")
    assert len(large) == 14
    assert small.items() <= large.items()
    images, problems = read_voc_folder(tmp_path / "large")
    assert len(images) == 7
    assert all(1 <= len(image.classes) <= 5 for image in images)
    assert not problems


def test_a_scene_is_the_same_in_a_small_set_and_in_a_large_one(tmp_path):
    generate_scenes(tmp_path / "small", 1)
    generate_scenes(tmp_path / "large", 2)
    small, large = digests(tmp_path / "small"), digests(tmp_path / "large")
    assert list(small) == ["0000/0000000.jpg"]
    assert small.items() < large.items()


@pytest.mark.parametrize(
    ("output", "rate"),
    [
        pytest.param("predict: 100%\n18 images, 43 boxes, 10.7 images/s\nout: 18 pictures\n", (18, 10.7), id="predict"),
        pytest.param("1000 images, 45.03 images/s\n", (1000, 45.03), id="runtime"),
    ],
)
def test_the_speed_is_read_from_what_a_process_printed(output, rate):
    assert rate_in(output) == rate


def test_a_process_that_prints_no_speed_is_an_error():
    with pytest.raises(RuntimeError, match="no line says how many images/s:\nnothing"):
        rate_in("nothing")


def test_predict_without_a_model_is_refused_with_the_command_that_makes_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "predict", "--model", str(tmp_path / "none")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "none: no exported model here; run `make run` first, or name one with --model FOLDER" in done.stderr


def test_the_memory_of_a_process_is_measured_without_that_of_its_parent(tmp_path):
    small = cost_of(["-c", "pass"], tmp_path)
    large = cost_of(["-c", "held = b'x' * 200_000_000"], tmp_path)
    assert 190 < large.peak_mb - small.peak_mb < 230
    assert small.peak_mb < 40


def test_a_failed_process_is_an_error_not_a_measurement(tmp_path):
    with pytest.raises(RuntimeError, match=r"ended with 3:\nworse"):
        cost_of(["-c", "print('worse'); raise SystemExit(3)"], tmp_path)


def test_the_sides_take_turns_and_the_first_turn_does_not_count():
    ran = []

    def side(name, seconds):
        def run():
            ran.append(name)
            return Cost(seconds, 1.0, 1.0)

        return run

    costs = in_turns({"a": side("a", 4.0), "b": side("b", 2.0)}, 2, "turns")
    assert ran == ["a", "b"] * 3
    assert [len(found) for found in costs.values()] == [2, 2]
    assert ratio(costs["a"], costs["b"]).startswith("2.00 (2.00 to 2.00) times as fast")


def test_without_a_warm_up_every_turn_counts():
    costs = in_turns({"a": lambda: Cost(1.0, 1.0, 1.0)}, 2, "turns", warm_up=False)
    assert len(costs["a"]) == 2


def test_the_start_of_several_processes_is_that_of_the_first(tmp_path):
    cost = cost_of(["-c", "import time; open('now', 'w').write(str(time.time()))"], tmp_path)
    assert cost.started <= float((tmp_path / "now").read_text()) <= cost.started + cost.seconds
    assert (cost + Cost(1.0, 1.0, 1.0, cost.started + 100)).started == cost.started


@pytest.mark.parametrize(
    ("times", "step"),
    [
        pytest.param([0.0, 9.0, 18.0, 19.0, 20.0], 1.0, id="short-the-second-half-counts"),
        pytest.param([*(9.0 * n for n in range(11)), *(91.0 + n for n in range(10))], 1.0, id="long-all-but-ten-count"),
    ],
)
def test_the_first_steps_of_a_run_do_not_count(times, step):
    assert settled_step([(number, time) for number, time in enumerate(times, start=1)]) == step


def test_steps_that_were_logged_together_count_one_by_one():
    assert settled_step([(1, 0.0), (2, 9.0), (4, 13.0), (8, 21.0)]) == 2.0


def test_quality_is_reached_when_a_validation_equals_the_last_stock_checkpoint_of_the_same_turn():
    def run(*scores):
        return Run(Cost(100.0, 1.0, 1.0), 1.0, 1.0, scores)

    stock = [run((100.0, 0.5)), run((100.0, 0.9))]
    ours = [run((20.0, 0.4), (50.0, 0.5), (80.0, 0.7)), run((20.0, 0.4), (80.0, 0.8))]
    scored, reached = quality_lines(stock, ours, 25)
    assert "AP50 0.700 (0.500 to 0.900)" in scored
    assert "best AP50 0.750 (0.700 to 0.800)" in reached
    assert reached.endswith("in 1 of 2 turns, after 50.0 (50.0 to 50.0) s, 2.00 (2.00 to 2.00) times as fast")
    assert quality_lines(stock[1:], ours[1:], 25)[1].endswith("that of stock in 0 of 1 turns")


def test_a_spread_is_the_median_with_its_range():
    assert spread([3.0, 1.0, 10.0]) == "3.00 (1.00 to 10.00)"


def test_speed_is_reported_only_for_figures_equal_to_those_of_pycocotools():
    head, theirs, ours, ratio_of_both = compare_evaluation(1, images=20)
    assert re.match(r"evaluation: 20 images, \d+ boxes and 2000 detections of 80 classes", head)
    assert theirs.startswith("  pycocotools ")
    assert ours.startswith("  coco_figures ")
    assert ratio_of_both.endswith("times as fast")


def test_different_figures_are_an_error_not_a_measurement(monkeypatch):
    monkeypatch.setattr("bench.evaluation.coco_figures", lambda *_: CocoFigures(mean_ap=0.5))
    with pytest.raises(RuntimeError, match="the figures differ: mAP"):
        compare_evaluation(1, images=3)


@pytest.mark.nightly
def test_every_comparison_runs_and_prints_its_measurements():
    arguments = ["-m", "bench", "conversion", "validation", "scale", "--generated", "12", "--repeats", "1"]
    done = subprocess.run(
        [sys.executable, *arguments, "--images", "10", "20"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "conversion: 12 images of generated that the stock tool accepts (0 it does not)" in done.stdout
    assert "validation: 12 annotated images of generated" in done.stdout
    assert len(re.findall(r"times as fast", done.stdout)) == 5
    assert re.search(r"10 to 20, 2 times as many: \d+\.\d times the time", done.stdout)


@pytest.mark.nightly
def test_training_is_measured_for_both_sides_from_the_same_weights(tmp_path):
    generate(tmp_path / "photos", 16)
    arguments = ["-m", "bench", "train", "--data", str(tmp_path / "photos"), "--steps", "4", "--repeats", "1"]
    done = subprocess.run(
        [sys.executable, *arguments, "--freeze", "backbone"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()[1:]
    assert re.search(r"of photos, batch 8, 4 steps, both sides from the same weights \(base\)", head)
    number = r"\d+\.?\d* \(\d+\.?\d* to \d+\.?\d*\)"
    for row, runs in (("stock train_loop", "whole"), ("train", "whole"), ("off", "step"), ("on", "step")):
        side = row if runs == "whole" else rf"train, freeze backbone, cache {row} \(\d steps\)"
        whole = f"start to end {number} s, " if runs == "whole" else ""
        form = rf"  {side} +{number} s/step, first step ended after {number} s, {whole}{number} MB"
        assert any(re.match(form, line) for line in lines), (side, lines)
    assert len(re.findall(rf"{number} times as fast", done.stdout)) >= 5
    assert re.search(rf"AP50 {number} of the stock loop's last checkpoint", done.stdout)
