"""Stage checkpoint: the weights that ship with the project, and no weights."""

from pathlib import Path

import numpy as np
import pytest

from tasks.errors import CheckpointError
from tasks.ground.files import sha256_of
from tasks.model.label_map import read_label_map
from tasks.weights.packed_weights import write_packed
from tests.stages.checkpoint.sources import MODEL, described, files_in, run


def test_imagenet_weights_are_written_by_layer_and_always_the_same(base: Path) -> None:
    figures = run(base, "imagenet")

    assert figures["kind"] == described(base)["kind"] == "weights"
    assert "mobilenet_v2-b0353104.pth" in described(base)["origin"]
    assert described(base)["licence"] == "BSD-3-Clause (torchvision)"
    with np.load(base / "weights.npz", allow_pickle=False) as weights:
        assert weights["Conv1/kernel"].shape == (3, 3, 3, 32)
        assert len(weights.files) == 260
    first = (base / "weights.npz").read_bytes()
    run(base, "imagenet")
    assert (base / "weights.npz").read_bytes() == first


@pytest.mark.parametrize("model", ["ssd_mobilenet_v1_fpn_640x640", "ssd_resnet50_v1_fpn_640x640"])
def test_imagenet_weights_for_another_backbone_are_refused(base: Path, model: str) -> None:
    with pytest.raises(CheckpointError, match="zoo, to the path of a checkpoint, or to none"):
        run(base, "imagenet", model=model)
    assert not base.exists()


def test_no_weights_have_a_description_too(base: Path) -> None:
    assert run(base, "none") == {"kind": "none", "origin": "random numbers", "size": "0.0 MB"}
    assert files_in(base) == ["base.json"]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (MODEL, "mobilenet_v2_fpnlite"),
        ("ssd_mobilenet_v2_fpnlite_640x640", "mobilenet_v2_fpnlite"),
        ("ssd_mobilenet_v2_320x320", "mobilenet_v2_ssd"),
    ],
)
def test_a_mobilenet_v2_gets_a_whole_detector(base: Path, shipped: Path, model: str, name: str) -> None:
    figures = run(base, "base", model=model)

    assert described(base) == {
        "source": "base",
        "kind": "weights",
        "model": model,
        "origin": f"weights/{name}.npz, made for a test",
        "sha256": sha256_of(shipped / f"{name}.npz"),
        "licence": "Apache-2.0",
    }
    assert "fallback" not in figures
    with np.load(base / "weights.npz", allow_pickle=False) as weights:
        assert weights["model/_feature_extractor/x/kernel"].tolist() == [[0.5, 0.5], [0.5, 0.5]]
        assert weights["model/_feature_extractor/x/kernel"].dtype == np.float32


def test_the_classes_of_the_class_head_are_the_bases_label_map(base: Path, shipped: Path) -> None:
    run(base, "base", model="ssd_mobilenet_v2_320x320")
    assert read_label_map(base / "label_map.pbtxt") == ("Person", "Car")
    run(base, "base")
    assert files_in(base) == ["base.json", "weights.npz"]


@pytest.mark.parametrize(
    ("model", "kind", "instead"),
    [
        ("ssd_mobilenet_v1_fpn_640x640", "weights", "is a backbone alone: all other layers start new"),
        ("ssd_mobilenet_v1_fpn_320x320", "weights", "is a backbone alone: all other layers start new"),
        ("centernet_mobilenet_v2_fpn_512x512", "weights", "is a backbone alone: all other layers start new"),
        ("centernet_resnet50_v2_512x512", "none", "starts from random numbers"),
        ("ssd_resnet50_v1_fpn_640x640", "none", "training starts from random numbers"),
    ],
)
def test_other_models_get_the_next_best_weights_and_the_reason(
    base: Path, shipped: Path, model: str, kind: str, instead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(base, "base", model=model)

    assert figures["kind"] == described(base)["kind"] == kind
    assert figures["fallback"] == described(base)["fallback"]
    assert described(base)["source"] == "base"
    assert f"{model}" in figures["fallback"]
    assert instead in figures["fallback"]
    assert figures["fallback"] in capsys.readouterr().out
    run(Path("copy"), base)
    assert described(Path("copy"))["fallback"] == figures["fallback"]


def test_the_error_for_a_missing_base_names_the_other_sources(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.weights.shipped.FOLDER", tmp_path / "weights")

    with pytest.raises(CheckpointError, match=r"mobilenet_v2_fpnlite\.npz is missing; .*zoo, none"):
        run(base, "base")
    assert not base.exists()


def test_a_base_that_its_card_does_not_describe_is_refused(base: Path, shipped: Path) -> None:
    write_packed({"other": np.ones(3)}, shipped / "mobilenet_v2_fpnlite.npz")

    with pytest.raises(CheckpointError, match="its SHA-256 is"):
        run(base, "base")


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_broken_card_is_named(base: Path, shipped: Path, text: str) -> None:
    (shipped / "mobilenet_v2_fpnlite.json").write_text(text)

    with pytest.raises(CheckpointError, match=r"mobilenet_v2_fpnlite\.json: not the card"):
        run(base, "base")


def test_the_mapping_of_classes_goes_with_the_weights_also_from_an_earlier_base(base: Path, shipped: Path) -> None:
    run(base, "base", model="ssd_mobilenet_v2_320x320", class_names={"Coverall": "Person"})
    assert described(base)["class_names"] == {"Coverall": "Person"}
    run(Path("copy"), base, class_names={"Mask": "Car"})
    assert described(Path("copy"))["class_names"] == {"Mask": "Car"}
    run(Path("copy"), base)
    assert "class_names" not in described(Path("copy"))


def test_no_remedy_is_named_that_the_zoo_does_not_have(base: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = Path("configs/mine.config")
    config.parent.mkdir(exist_ok=True)
    config.write_text("model { center_net { feature_extractor { type: 'hourglass_104' } } }")

    fallback = run(base, "base", model=str(config))["fallback"]

    assert "zoo" not in fallback
    assert "the path of an archive with these layers is better" in fallback
    with pytest.raises(CheckpointError, match=r"none of the models here has the feature extractor of configs/mine"):
        run(base, "imagenet", model=str(config))
