import json
from pathlib import Path

import numpy as np
import pytest

from tasks.errors import CheckpointError
from tasks.lint.weights import BaseFacts, check_base, check_freeze, read_base_facts
from tasks.model.definitions import BLOCKS, MODELS
from tests.training.train_params import train_params

V2 = MODELS["ssd_mobilenet_v2_fpnlite_320x320"].feature_extractor
BACKBONE_ONLY = BaseFacts("weights", "imagenet", "", detector=False, classes=None)
DETECTOR = BaseFacts("tf_checkpoint", "zoo", "", detector=True, classes=("mug", "hat"))
NOTHING = BaseFacts("none", "none", "", detector=False, classes=None)


def freeze(value, base=DETECTOR, extractor=V2):
    return [(finding.level, finding.why) for finding in check_freeze(train_params(freeze=value), extractor, base)]


@pytest.mark.parametrize("name", MODELS)
def test_one_block_more_than_the_backbone_has_is_an_error(name):
    model = MODELS[name]
    most = BLOCKS[model.backbone]
    assert freeze(most, extractor=model.feature_extractor) == []
    ((level, why),) = freeze(most + 1, extractor=model.feature_extractor)
    assert (level, why) == ("error", f"this backbone ({model.backbone}) has {most} blocks")


def test_how_many_blocks_an_unknown_backbone_has_is_left_to_training():
    assert freeze(99, extractor="ssd_resnet101_v1_fpn_keras") == []


@pytest.mark.parametrize("value", [3, "backbone", "heads-only", ["^backbone/"]])
def test_freezing_without_weights_is_an_error(value):
    ((level, why),) = freeze(value, NOTHING)
    assert level == "error"
    assert "frozen layers would stay random" in why


def test_nothing_frozen_gives_nothing_to_tell():
    assert freeze("none", NOTHING) == []
    assert freeze("auto", NOTHING) == []


@pytest.mark.parametrize(
    ("value", "base", "warned"),
    [
        ("heads-only", BACKBONE_ONLY, True),
        ("heads-only", DETECTOR, False),
        ("backbone", BACKBONE_ONLY, False),
        (8, BACKBONE_ONLY, False),
    ],
    ids=["backbone alone", "a detector", "what it fills", "blocks"],
)
def test_frozen_feature_maps_that_nothing_fills_are_warned_of(value, base, warned):
    found = freeze(value, base)
    assert [level for level, _ in found] == (["warning"] if warned else [])


def test_weights_other_than_those_asked_for_are_warned_of_with_the_reason():
    base = BaseFacts("none", "base", "the base does not fit", detector=False, classes=None)
    (found,) = check_base(base, ["mug"])
    assert (found.level, found.value, found.why) == ("warning", "base", "the base does not fit")


@pytest.mark.parametrize(
    ("theirs", "said"),
    [(("mug", "hat"), None), (("hat", "mug"), "trained for hat, mug"), (None, "classes that it does not name")],
    ids=["the same", "another order", "unknown"],
)
def test_a_detector_for_other_classes_gets_a_new_class_head(theirs, said):
    found = check_base(BaseFacts("tf_checkpoint", "zoo", "", detector=True, classes=theirs), ["mug", "hat"])
    assert [finding.level for finding in found] == (["info"] if said else [])
    if said:
        assert said in found[0].why


def test_a_backbone_alone_never_had_a_class_head():
    assert check_base(BACKBONE_ONLY, ["mug"]) == []


def written(base: Path, description: dict, **arrays: object) -> BaseFacts:
    base.mkdir(exist_ok=True)
    (base / "base.json").write_text(json.dumps(description))
    if arrays:
        np.savez(base / "weights.npz", **arrays)
    return read_base_facts(base, description)


@pytest.mark.parametrize(
    ("name", "detector"), [("Conv1/kernel", False), ("model/_feature_extractor/x", True)], ids=["backbone", "detector"]
)
def test_arrays_are_a_detectors_where_they_have_checkpoint_keys(tmp_path, name, detector):
    facts = written(tmp_path, {"kind": "weights", "source": "x"}, **{name: np.zeros(1, np.float32)})
    assert facts == BaseFacts("weights", "x", "", detector, None)


def test_the_classes_of_a_base_are_those_of_its_label_map(tmp_path):
    (tmp_path / "label_map.pbtxt").write_text("item { id: 1 name: 'mug' }")
    facts = written(tmp_path, {"kind": "tf_checkpoint", "source": "x", "fallback": "why"})
    assert facts == BaseFacts("tf_checkpoint", "x", "why", True, ("mug",))


@pytest.mark.parametrize("content", [None, b"no archive"], ids=["missing", "damaged"])
def test_arrays_that_are_promised_and_cannot_be_read_are_an_error(tmp_path, content):
    if content is not None:
        (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"weights\.npz: cannot be read"):
        written(tmp_path, {"kind": "weights"})
