"""The whole pipeline through `dvc repro`, as a person runs it: killed, resumed, changed, taken back. Minutes."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.artifacts.suggestions import read_suggestions
from tasks.artifacts.training_photos import read_training_photos
from tasks.dataset.coco_json import read_coco
from tests.selection.photos import photo
from tests.small_project import STEPS, Project, wait_until

pytestmark = pytest.mark.slow
VARIANT_FILES = ["model.tflite", "model_float16.tflite", "model_int8.tflite"]


def ran(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


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


def test_dvc_has_every_file_beside_the_models(finished: tuple[Project, str]) -> None:
    project, _ = finished
    listed = project.run("dvc", "list", ".", "models/exported", "--dvc-only").split()
    assert sorted(path.name for path in (project.folder / "models/exported").iterdir()) == sorted(listed)


def test_export_writes_what_train_and_val_photos_look_like(finished: tuple[Project, str]) -> None:
    project, _ = finished
    photos = read_training_photos(project.folder / "models/exported")
    images = [len(project.json(f"data/splits/{split}.json")["images"]) for split in ("train", "val")]  # type: ignore[arg-type]
    assert photos is not None
    assert len(photos) == sum(images)
    assert "training_photos.npy" in (project.folder / "models/exported/SHA256SUMS").read_text()


def test_the_figures_come_with_intervals_a_threshold_and_a_card(finished: tuple[Project, str]) -> None:
    project, _ = finished
    model = project.json("metrics/evaluate.json")["saved_model"]
    assert isinstance(model, dict)
    assert model["mAP_low"] is None or model["mAP_low"] <= model["mAP_high"]
    shipped = project.json("models/exported/thresholds.json")
    assert model["score_threshold"] == pytest.approx(shipped["score"], abs=1e-3)
    assert "key" in (project.folder / "models/README.md").read_text()


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
    project.change("report", score_threshold=0.1)
    assert ran(project.run("dvc", "repro")) == []
    assert (project.folder / "reports/index.html").read_bytes() == page


def test_the_exports_serve_without_this_project(finished: tuple[Project, str]) -> None:
    code = """
import sys, numpy as np, tensorflow as tf
serve = tf.saved_model.load("saved_model").signatures["serving_default"]
out = serve(input_tensor=tf.zeros([2, 77, 133, 3], tf.uint8))
assert out["detection_boxes"].shape == (2, 100, 4), out["detection_boxes"].shape
for name in ("model.tflite", "model_float16.tflite", "model_int8.tflite"):
    lite = tf.lite.Interpreter(model_path=name)
    lite.allocate_tensors()
    (entry,) = lite.get_input_details()
    lite.set_tensor(entry["index"], np.zeros(entry["shape"], entry["dtype"]))
    lite.invoke()
    shapes = sorted(tuple(lite.get_tensor(o["index"]).shape) for o in lite.get_output_details())
    # Three classes for each of 100 boxes.
    assert shapes == [(1,), (1, 300), (1, 300), (1, 300, 4)], shapes
assert tf.saved_model.contains_saved_model("serving/1")
assert not {"object_detection", "tasks"} & {name.split(".")[0] for name in sys.modules}
"""
    exported = finished[0].folder / "models/exported"
    done = subprocess.run([sys.executable, "-c", code], cwd=exported, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_code_on_the_models_card_runs_as_it_stands(finished: tuple[Project, str], tmp_path: Path) -> None:
    models = finished[0].folder / "models"
    blocks = re.findall(r"```python\n(.*?)```", (models / "README.md").read_text(), flags=re.DOTALL)
    assert [name for name in ("saved_model", *VARIANT_FILES) for block in blocks if f'exported/{name}"' in block] == [
        "saved_model",
        *VARIANT_FILES,
    ]
    (tmp_path / "exported").symlink_to(models / "exported")
    shutil.copy(next((finished[0].folder / "data/sample/images").glob("*.jpg")), tmp_path / "photo.jpg")
    code = "\n".join(blocks)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {line.split(" ")[0] for line in done.stdout.splitlines()} <= {"key", "leaf", "mug"}


def test_every_variant_has_figures_and_a_loss(finished: tuple[Project, str]) -> None:
    project, _ = finished
    variants = project.json("metrics/evaluate.json")["variants"]
    losses = json.loads((project.folder / "data/detections/variants.json").read_text())
    assert set(variants) == {each["name"] for each in losses["scored"]} == {"float32", "float16", "int8"}  # type: ignore[call-overload]
    speed = project.json("metrics/speed.json")["models"]
    assert {"1", "2"} >= set(speed["int8"]["by_threads"]) > set()  # type: ignore[index]
    assert "What it loses by variant" in (project.folder / "reports/index.html").read_text()


def test_predict_draws_and_lists_what_it_sees(finished: tuple[Project, str]) -> None:
    project, _ = finished
    output = project.run(
        "python", "-m", "tasks", "predict", "data/sample/images/scene_0001.jpg", "--score-threshold", "0", "--out", "p"
    )
    listed = project.json("p/detections.json")
    assert len(listed["annotations"]) > 0  # type: ignore[arg-type]
    assert (project.folder / "p/scene_0001.jpg").stat().st_size > 1000
    assert "images/s" in output


def test_suggest_chooses_among_photos_that_nobody_labelled(finished: tuple[Project, str]) -> None:
    project, _ = finished
    new = project.folder / "new"
    for number, letter in enumerate("abcdef"):
        photo(new / f"{letter}.png", number)
    validated = read_coco(project.folder / "data/validated/annotations.json")
    shutil.copy(project.folder / validated.image_path(validated.images[0]), new / "labelled.jpg")
    output = project.run("python", "-m", "tasks", "suggest", "new", "--count", "5")
    assert "left out: labelled already 1" in output
    found = read_suggestions(project.folder / "reports/suggest.json")
    assert (found.candidates, found.labelled) == (6, len(validated.images))
    assert [each.reason for each in found.photos].count("random") == 1
    assert all(0 < each.distance < 2 for each in found.photos)
    page = (project.folder / "reports/suggest.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 5
    assert ran(project.run("dvc", "repro")) == []


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


@pytest.fixture
def project_to_edit(finished: tuple[Project, str]) -> Iterator[Project]:
    """The finished project, whose params and results are put back afterwards."""
    project, _ = finished
    kept = (project.folder / "params.yaml").read_bytes()
    yield project
    (project.folder / "params.yaml").write_bytes(kept)
    shutil.rmtree(project.folder / "models/resume", ignore_errors=True)
    project.run("dvc", "checkout", "--force")


def wait_until_at_work(project: Project, pattern: str) -> None:
    """Return when the running stage has written a file of `pattern`: some stages end a tenth of a second later."""
    wait_until(lambda: bool(list(project.folder.glob(pattern))), 600, every=0.005)


@pytest.mark.parametrize(
    ("stage", "key", "before", "after", "at_work"),
    [
        ("sample", "seed", 100, 200, "data/.sample.*.partial/annotations"),
        ("records", "images_per_shard", 1, 2, "data/records.partial/*/label_map.pbtxt"),
        ("train", "learning_rate", 0.5, 0.25, "models/resume/*/current.json"),
    ],
)
def test_params_that_change_while_a_stage_runs_are_not_recorded(
    stage: str, key: str, before: float, after: float, at_work: str, project_to_edit: Project
) -> None:
    project = project_to_edit
    lock = (project.folder / "dvc.lock").read_bytes()
    project.change("sample", images=300)  # they take seconds to draw
    project.change(stage, **{key: before})
    process = project.start("dvc", "repro", "--single-item", stage)
    wait_until_at_work(project, at_work)
    project.change(stage, **{key: after})
    output, _ = process.communicate()

    assert process.returncode != 0
    assert f"{stage}: changed while the stage ran: {stage}.{key} ({before} -> {after})" in output
    assert (project.folder / "dvc.lock").read_bytes() == lock
    assert "params.yaml" in project.run("dvc", "status", stage)


def test_code_that_changes_while_a_stage_runs_is_not_recorded(project_to_edit: Project) -> None:
    project = project_to_edit
    lock = (project.folder / "dvc.lock").read_bytes()
    edited = project.folder / "tasks/tfrecords/shards.py"
    kept = edited.read_bytes()
    project.change("records", images_per_shard=1)
    process = project.start("dvc", "repro", "--single-item", "records")
    wait_until_at_work(project, "data/records.partial/*/label_map.pbtxt")
    edited.write_bytes(kept + b"# edited\n")
    output, _ = process.communicate()
    edited.write_bytes(kept)

    assert process.returncode != 0
    assert f"changed while the stage ran: {Path('tasks/tfrecords/shards.py')}" in output
    assert (project.folder / "dvc.lock").read_bytes() == lock
