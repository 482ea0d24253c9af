"""The whole pipeline through `dvc repro`, as a person runs it: killed, resumed, changed, taken back. Minutes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tasks.detector.model_definitions import MODELS
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import write_pipeline_config

ROOT = Path(__file__).parents[1]
STEPS = 12

pytestmark = pytest.mark.slow


class Project:
    """A copy of the project in a git repository of its own, with a small model and few steps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = self._output("git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z")
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self._small()
        for command in (
            ["init", "-q"],
            ["config", "user.name", "A Tester"],
            ["config", "user.email", "tester@example.org"],
            ["add", "-A"],
            ["commit", "-qm", "start"],
        ):
            self._output("git", "-C", str(folder), *command)

    def _small(self) -> None:
        config = pipeline_proto(MODELS["ssd_mobilenet_v2_fpnlite_320x320"])
        config.model.ssd.image_resizer.fixed_shape_resizer.height = 96
        config.model.ssd.image_resizer.fixed_shape_resizer.width = 96
        write_pipeline_config(config, self.folder / "configs" / "small.config")
        self.change("sample", images=30)
        self.change("model", name="configs/small.config")
        self.change("train", steps=STEPS, batch_size=4, warmup_steps=2, eval_every=6, save_every=2)

    def change(self, section: str, **values: object) -> None:
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        params[section].update(values)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def start(self, *command: str) -> "subprocess.Popen[str]":
        # The plainest shell: it does not make way for the command it is given, as bash does.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "SHELL": "/bin/sh", "PATH": path}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *command: str) -> str:
        with self.start(*command) as process:
            output, _ = process.communicate(timeout=900)
        assert process.returncode == 0, output[-5000:]
        return output

    def json(self, path: str) -> dict[str, object]:
        content: dict[str, object] = json.loads((self.folder / path).read_text())
        return content

    @staticmethod
    def _output(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def ran(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def killed(project: Project) -> Project:
    """A run whose dvc was killed when training had saved its first state."""
    process = project.start("dvc", "repro")
    wait_until(lambda: bool(list(project.folder.glob("models/resume/*/current.json"))), 600)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return project


@pytest.fixture(scope="module")
def finished(killed: Project) -> tuple[Project, str]:
    return killed, killed.run("dvc", "repro")


def test_a_killed_run_leaves_no_result_and_the_next_one_resumes_it(finished: tuple[Project, str]) -> None:
    project, output = finished
    assert ran(output) == ["train", "export", "evaluate", "report"]
    assert "resuming after step" in output
    assert project.json("metrics/train.json")["steps"] == STEPS
    curve = (project.folder / "plots/train/plots/metrics/train/loss.tsv").read_text().splitlines()
    assert [int(row.split("\t")[0]) for row in curve[1:]] == list(range(1, STEPS + 1))


def test_the_gate_found_the_planted_faults(finished: tuple[Project, str]) -> None:
    data = finished[0].json("metrics/data.json")
    planted = {"unreadable_annotation", "unreadable_image", "missing_image", "box_outside_image", "rare_class"}
    assert planted <= data["problems"].keys()  # type: ignore[attr-defined]


def test_every_test_image_is_scored_in_both_exports(finished: tuple[Project, str]) -> None:
    figures = finished[0].json("metrics/evaluate.json")
    test = finished[0].json("data/splits/test.json")
    assert figures["images"] == len(test["images"]) > 0  # type: ignore[arg-type]
    assert set(figures["saved_model"]["per_class"]) == {"key", "leaf", "mug"}  # type: ignore[index]
    assert 0 <= figures["tflite"]["mAP"] <= 1  # type: ignore[index]


def test_the_report_is_one_page_that_loads_nothing(finished: tuple[Project, str]) -> None:
    page = (finished[0].folder / "reports/index.html").read_text()
    assert "AP50" in page
    assert [path.name for path in (finished[0].folder / "reports").iterdir()] == ["index.html"]
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_a_second_run_runs_nothing(finished: tuple[Project, str]) -> None:
    output = finished[0].run("dvc", "repro")
    assert ran(output) == []
    assert "up to date" in output


def test_a_changed_param_runs_what_depends_on_it_and_taking_it_back_runs_nothing(
    finished: tuple[Project, str],
) -> None:
    project, _ = finished
    page = (project.folder / "reports/index.html").read_bytes()
    project.change("report", score_threshold=0.9)
    assert ran(project.run("dvc", "repro")) == ["report"]
    project.change("report", score_threshold=0.3)
    assert ran(project.run("dvc", "repro")) == []
    assert (project.folder / "reports/index.html").read_bytes() == page


def test_the_exports_serve_without_this_project(finished: tuple[Project, str]) -> None:
    code = """
import sys, numpy as np, tensorflow as tf
serve = tf.saved_model.load("saved_model").signatures["serving_default"]
out = serve(input_tensor=tf.zeros([2, 77, 133, 3], tf.uint8))
assert out["detection_boxes"].shape == (2, 100, 4), out["detection_boxes"].shape
lite = tf.lite.Interpreter(model_path="model.tflite")
lite.allocate_tensors()
(entry,) = lite.get_input_details()
lite.set_tensor(entry["index"], np.zeros(entry["shape"], np.float32))
lite.invoke()
shapes = sorted(tuple(lite.get_tensor(o["index"]).shape) for o in lite.get_output_details())
assert shapes == [(1,), (1, 100), (1, 100), (1, 100, 4)], shapes
assert not {"object_detection", "tasks"} & {name.split(".")[0] for name in sys.modules}
"""
    exported = finished[0].folder / "models/exported"
    done = subprocess.run([sys.executable, "-c", code], cwd=exported, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_predict_draws_and_lists_what_it_sees(finished: tuple[Project, str]) -> None:
    project, _ = finished
    output = project.run(
        "python", "-m", "tasks", "predict", "data/sample/images/scene_0001.jpg", "--score-threshold", "0", "--out", "p"
    )
    listed = project.json("p/detections.json")
    assert len(listed["annotations"]) > 0  # type: ignore[arg-type]
    assert (project.folder / "p/scene_0001.jpg").stat().st_size > 1000
    assert "images/s" in output


def test_a_misspelt_param_stops_before_anything_runs(finished: tuple[Project, str]) -> None:
    project, _ = finished
    good = (project.folder / "params.yaml").read_text()
    (project.folder / "params.yaml").write_text(good.replace("val_fraction", "val_fracton"))
    with project.start("python", "-m", "tasks", "split") as process:
        output, _ = process.communicate(timeout=60)
    (project.folder / "params.yaml").write_text(good)
    assert process.returncode == 1
    assert "split.val_fracton: Extra inputs are not permitted" in output
    assert "split.val_fraction: Field required" in output
    assert "Traceback" not in output
