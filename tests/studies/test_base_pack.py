"""From a trained checkpoint through the packed file into another network: all but the class head, at any input size."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from studies.base import generator
from studies.base.generator import generator_sha256
from studies.base.pack import pack, ship
from studies.base.params import read_scenes_params
from tasks.artifacts.training import write_training_figures
from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.architectures.ssd import Ssd
from tasks.detector.initialise import initialise
from tasks.detector.restore import restore
from tasks.errors import CheckpointError, PipelineError
from tasks.ground.files import sha256_of, write_json
from tasks.params import CheckpointParams, ModelParams, Params, read_params
from tasks.stages.checkpoint import checkpoint
from tasks.training.freeze import snapshot
from tasks.weights.packed_weights import read_packed
from tests.artifacts.training_files import figures_of_a_run
from tests.detector.small_network import V2, small_network
from tests.studies.base_materials import write_library

ROOT = Path(__file__).parents[2]
NAME = "mobilenet_v2_fpnlite"
SCENES = read_scenes_params(ROOT / "studies/base/scenes.yaml")


def study(folder: Path) -> Params:
    params = read_params(ROOT / "studies/base/params.yaml")
    paths = {
        "trained": folder / "trained",
        "metrics_train": folder / "train.json",
        "metrics_data": folder / "data.json",
    }
    return params.model_copy(update={"paths": params.paths.model_copy(update=paths)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has trained: a checkpoint with ten classes, and its figures."""
    place: Path = tmp_path_factory.mktemp("study")
    network = small_network(V2, num_classes=10)
    initialise(network, network.variables, seed=5)
    (place / "trained" / "best").mkdir(parents=True)
    tf.train.Checkpoint(model=network.model).write(str(place / "trained" / "best" / "ckpt-0"))
    np.savez(place / "values.npz", allow_pickle=False, **snapshot(network, network.variables))
    write_training_figures(place / "train.json", figures_of_a_run(best_mAP=0.25, best_step=10, loss=1.5))
    write_json(place / "data.json", {"boxes": 99})
    write_library(place / "materials", findings={})
    pack(study(place), SCENES, materials=place / "materials", packed=place / "packed")
    return place


def test_the_class_head_is_left_out_and_all_else_is_within_float16(folder: Path) -> None:
    arrays = read_packed(folder / "packed" / f"{NAME}.npz")
    with np.load(folder / "values.npz") as values:
        assert set(arrays) == {key for key in values.files if Ssd.component_of(key) != CLASS_HEAD}
        for key, array in arrays.items():
            np.testing.assert_allclose(array, values[key], rtol=2**-10, atol=1e-7)
    assert 4_000_000 < (folder / "packed" / f"{NAME}.npz").stat().st_size < 6_000_000


def test_packing_again_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    scenes = SCENES.model_copy(update={"workers": 7})
    pack(study(folder), scenes, materials=folder / "materials", packed=tmp_path / "again")
    for path in (folder / "packed").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_the_card_says_how_it_was_made_what_was_measured_and_on_what_terms(folder: Path) -> None:
    card = json.loads((folder / "packed" / f"{NAME}.json").read_text())
    assert card["sha256"] == sha256_of(folder / "packed" / f"{NAME}.npz")
    assert card["made"]["scenes"]["count"] == SCENES.count
    assert card["made"]["boxes"] == 99
    assert card["made"]["train"]["steps"] == study(folder).train.steps
    assert card["measured"]["best_mAP"] == 0.25
    assert "Apache-2.0" in card["licence"]
    assert "BSD-3-Clause" in card["licence"]
    text = (folder / "packed" / f"{NAME}.md").read_text()
    assert "mAP 0.250 after 10 steps" in text
    assert card["sha256"] in text


def test_other_params_are_another_card(folder: Path, tmp_path: Path) -> None:
    scenes = SCENES.model_copy(update={"seed": 8})
    pack(study(folder), scenes, materials=folder / "materials", packed=tmp_path / "other")
    cards = [json.loads((place / f"{NAME}.json").read_text()) for place in (folder / "packed", tmp_path / "other")]
    assert cards[0]["made"]["params_sha256"] != cards[1]["made"]["params_sha256"]
    assert cards[0]["sha256"] == cards[1]["sha256"]


@pytest.mark.parametrize(
    "changed",
    ["scenes/sprite.py", "library.py", "classes.py", "classes.yaml", "materials.yaml", "index.json", "findings.json"],
)
def test_a_change_of_anything_that_decides_the_scenes_is_another_generator(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    shutil.copytree(
        ROOT / "studies/base", code, ignore=shutil.ignore_patterns("materials", "data", ".*", "__pycache__")
    )
    monkeypatch.setattr(generator, "_HERE", code)
    materials = write_library(tmp_path / "materials", findings={})
    before = generator_sha256(materials)
    (code / "README.md").write_text("another text")
    assert generator_sha256(materials) == before

    file = (materials if changed.endswith(".json") else code) / changed
    file.write_text(file.read_text() + "\n")
    assert generator_sha256(materials) != before


def test_a_generator_without_materials_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"index\.json is missing; run `python -m studies\.base materials`"):
        generator_sha256(tmp_path)


@pytest.mark.parametrize(("name", "side_px"), [("ssd_mobilenet_v2_fpnlite_640x640", 128)])
def test_the_shipped_file_fills_a_network_of_another_size_and_other_classes(
    name: str, side_px: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(folder / "packed", tmp_path / "weights")
    monkeypatch.setattr("tasks.weights.shipped.FOLDER", tmp_path / "weights")
    base = tmp_path / "base"
    params = CheckpointParams(source="base", zoo_url="", sha256=None, class_names={})
    figures = checkpoint(params, ModelParams(name=name, side_px=None), base=base)
    assert figures["kind"] == "weights"
    network = small_network(name, num_classes=3, side_px=side_px)
    initialise(network, network.variables, seed=6)
    restored = restore(network, base, ("a", "b", "c"))
    rows = {row.module: row for row in restored.summary().modules}
    assert rows.pop(CLASS_HEAD).new == 3
    assert all(row.restored == row.variables > 0 for row in rows.values())
    assert restored.source.startswith(f"base: weights/{NAME}.npz, trained on cut-outs")
    with np.load(folder / "values.npz") as values:
        for key in restored.keys:
            np.testing.assert_allclose(network.variables[key].numpy(), values[key], rtol=2**-10, atol=1e-7)


def test_without_a_checkpoint_nothing_is_packed(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="ckpt-0"):
        pack(study(tmp_path), SCENES, materials=tmp_path, packed=tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_nothing_packed_is_nothing_shipped(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="dvc repro"):
        ship(tmp_path / "packed", tmp_path / "weights")
    assert not (tmp_path / "weights").exists()
