"""`make export-check`: how many photos it takes, and what the script that has nothing of this project reads."""

import contextlib
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tasks.dataset.dataset import Dataset
from tasks.errors import PipelineError
from tasks.evaluation.tflite_model import load_tflite
from tasks.exporting.tflite_metadata import Metadata
from tasks.exporting.variants import Source, export_variants
from tasks.model.label_map import LABEL_MAP, write_label_map
from tests.exporting.lenient import Lenient
from tests.exporting.params import export_params
from tests.exporting.toy_export import PREPARE, varied_config, varied_network
from tests.scripts.stand_ins import ROOT

# Names with what protobuf's text escapes, and what a line of text would end or begin with.
NAMES = ("a \"quoted\" 'name'", "back\\slash\\n", "dög", "tab\tand\nline", "name: 'x'", "}", "\x01")


def loaded(name: str) -> Any:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script() -> Any:
    return loaded("open_exported")


@pytest.mark.parametrize("count", ["abc", "0", "-1"])
def test_what_is_no_number_of_photos_is_one_line(count: str, tmp_path: Path) -> None:
    command = [sys.executable, "scripts/export_check_photos.py", str(tmp_path), str(tmp_path), count, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"export-check: COUNT={count}: not a number of photos; give a whole number from 1 on, such as COUNT=50\n"
    )


def test_only_a_whole_number_from_1_on_is_one_of_photos() -> None:
    photo_count = loaded("export_check_photos").photo_count
    assert [photo_count(text) for text in ("1", "50")] == [1, 50]
    for text in ("1.5", "", "1_0", "+1", " 1", "\u0663", "9" * 5000):
        with pytest.raises(PipelineError, match="not a number of photos") as refused:
            photo_count(text)
        assert len(str(refused.value)) < 200


def test_a_label_map_is_read_as_it_was_written(script: Any, tmp_path: Path) -> None:
    write_label_map(NAMES, tmp_path / LABEL_MAP)
    assert script._label_map(tmp_path / LABEL_MAP) == dict(enumerate(NAMES, start=1))


def test_a_label_map_of_another_hand_is_read(script: Any, tmp_path: Path) -> None:
    file = tmp_path / LABEL_MAP
    file.write_text(
        '\ufeff# name: "no"\nitem{name:\'b\\x41\\102\\u00e9\\\'"\' id:2 display_name:"B"}item: < id: 1, '
        'name: "a" "\\n" keypoints { id: 7 label: "k" } >\n',
        encoding="utf-8",
    )
    assert script._label_map(file) == {1: "a\n", 2: "bABé'\""}


def test_the_script_imports_nothing_of_this_project(script: Any) -> None:
    text = (ROOT / "scripts" / "open_exported.py").read_text()
    assert not any(line.strip().startswith(("from tasks", "import tasks")) for line in text.splitlines())


@pytest.mark.parametrize("num_classes", [1, 3, 12])
def test_litert_reads_all_that_predict_finds(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_classes: int
) -> None:
    # LiteRT is TFLite's interpreter under a new name; its package is not in the project's environment.
    litert = types.ModuleType("ai_edge_litert.interpreter")
    monkeypatch.setattr(litert, "Interpreter", tf.lite.Interpreter, raising=False)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", types.ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", litert)
    classes = tuple(f"class {i}" for i in range(num_classes))
    config = varied_config(num_classes=num_classes, max_detections=20)
    source = Source(varied_network(config), config, Metadata(classes, 0.25, "Finds."), PREPARE)
    write_label_map(classes, tmp_path / LABEL_MAP)
    params = export_params(variants=["float32"], max_detections=20)
    export_variants(source, params, Dataset(tmp_path, classes, ()), tmp_path, Lenient())

    file, image = tmp_path / "model.tflite", np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (ours,) = load_tflite(file).detect([image])
    theirs = sorted(script._litert(file, script._labels(file))(image), key=lambda each: -each[2])
    assert len(theirs) == 20 * min(num_classes, 10)
    assert len(ours.scores) == 20
    expected = list(zip(ours.classes, ours.boxes.tolist(), ours.scores.tolist(), strict=True))
    assert script._compare(expected, theirs[:20], image.shape) == (
        pytest.approx(0, abs=1e-6),
        pytest.approx(0, abs=1e-3),
        sum(score >= 0.1 for score in ours.scores),
        0,
    )


def test_mediapipe_is_asked_for_all_results(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may give more than any limit here: `export.max_detections` has none."""
    category = types.SimpleNamespace(category_name="cat", score=0.5)
    box = types.SimpleNamespace(origin_x=1, origin_y=2, width=3, height=4)
    detections = [types.SimpleNamespace(bounding_box=box, categories=[category])] * 150

    class Detector(contextlib.AbstractContextManager[Any]):
        """MediaPipe's package is not in the project's environment; it cuts at `max_results` unless negative."""

        def __init__(self, options: Any) -> None:
            self.most = options.max_results if options.max_results >= 0 else None

        @classmethod
        def create_from_options(cls, options: Any) -> Any:
            return cls(options)

        def __exit__(self, *_: object) -> None:
            pass

        def detect(self, image: Any) -> Any:
            return types.SimpleNamespace(detections=detections[: self.most])

    vision = {"ObjectDetectorOptions": types.SimpleNamespace, "ObjectDetector": Detector}
    modules: dict[str, dict[str, Any]] = {
        "mediapipe": {"Image": types.SimpleNamespace, "ImageFormat": types.SimpleNamespace(SRGB=1)},
        "mediapipe.tasks": {},
        "mediapipe.tasks.python": {
            "BaseOptions": types.SimpleNamespace,
            "vision": types.SimpleNamespace(**vision),
        },
    }
    for name, content in modules.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    vars(sys.modules["mediapipe.tasks"])["python"] = sys.modules["mediapipe.tasks.python"]
    with script._mediapipe(tmp_path / "model.tflite") as detect:
        found = detect(np.zeros((8, 8, 3), np.uint8))
    assert found == [("cat", [1.0, 2.0, 4.0, 6.0], 0.5)] * 150
