from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts.base import read_base_description, write_arrays
from tasks.errors import CheckpointError
from tasks.lint.weights import BaseFacts, check_base, check_freeze, read_base_facts
from tasks.model.definition import BLOCKS
from tasks.model.definitions import MODELS
from tests.artifacts.base_descriptions import base_description, describe_base
from tests.training.train_params import train_params

V2 = MODELS["ssd_mobilenet_v2_fpnlite_320x320"].feature_extractor
BACKBONE_ONLY = BaseFacts(base_description(source="imagenet"), is_detector=False, classes=None)
DETECTOR = BaseFacts(base_description("tf_checkpoint", source="zoo"), is_detector=True, classes=("mug", "hat"))
NO_WEIGHTS = BaseFacts(base_description("none"), is_detector=False, classes=None)


def freeze(value, base=DETECTOR, extractor=V2):
    return [(finding.level, finding.why) for finding in check_freeze(train_params(freeze=value), extractor, base)]


@pytest.mark.parametrize("name", MODELS)
def test_one_block_more_than_the_backbone_has_is_an_error(name):
    model = MODELS[name]
    most = BLOCKS[model.backbone]
    assert freeze(most, extractor=model.feature_extractor) == []
    ((level, why),) = freeze(most + 1, extractor=model.feature_extractor)
    assert (level, why) == ("error", f"this backbone ({model.backbone}) has {most} blocks")


def test_the_blocks_of_an_unknown_backbone_are_not_checked():
    assert freeze(99, extractor="ssd_mobilenet_v1_keras") == []


@pytest.mark.parametrize("value", [3, "backbone", "heads-only", ["^backbone/"]])
def test_freezing_without_weights_is_an_error(value):
    ((level, why),) = freeze(value, NO_WEIGHTS)
    assert level == "error"
    assert "frozen layers would stay random" in why


def test_what_the_second_phase_freezes_is_checked_too():
    second = {"steps": 5, "freeze": 99, "learning_rate": 1e-4}
    (finding,) = check_freeze(train_params(freeze="auto", second_phase=second), V2, DETECTOR)
    assert (finding.level, finding.key) == ("error", "train.second_phase.freeze")


def test_a_run_without_frozen_layers_has_no_finding():
    assert freeze("none", NO_WEIGHTS) == []
    assert freeze("auto", NO_WEIGHTS) == []


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
def test_freezing_feature_maps_that_no_weights_fill_gives_a_warning(value, base, warned):
    findings = freeze(value, base)
    assert [level for level, _ in findings] == (["warning"] if warned else [])


def test_weights_other_than_those_asked_for_give_a_warning_with_the_reason():
    description = base_description("none", source="base", fallback="the base does not fit")
    (finding,) = check_base(BaseFacts(description, is_detector=False, classes=None), ["mug"])
    assert (finding.level, finding.value, finding.why) == ("warning", "base", "the base does not fit")


@pytest.mark.parametrize(
    ("theirs", "why"),
    [(("mug", "hat"), None), (("hat", "mug"), "trained for hat, mug"), (None, "classes that it does not name")],
    ids=["the same", "another order", "unknown"],
)
def test_a_detector_for_other_classes_gets_a_new_class_head(theirs, why):
    findings = check_base(replace(DETECTOR, classes=theirs), ["mug", "hat"])
    assert [finding.level for finding in findings] == (["info"] if why else [])
    if why:
        assert why in findings[0].why


def test_rows_that_are_kept_by_name_are_listed():
    (finding,) = check_base(DETECTOR, ["Hat", "glove"])
    assert finding.why.endswith(
        "here for Hat, glove: in the class head, rows of Hat (from hat) kept by name; glove new"
    )


def named(names, base=DETECTOR):
    description = base.description.model_copy(update={"class_names": names})
    findings = check_base(replace(base, description=description), ["hat", "glove"])
    return [(each.level, str(each)) for each in findings if each.key == "checkpoint.class_names"]


def test_a_mapping_that_names_what_is_there_has_no_finding():
    assert named({"glove": "MUG"}) == []


@pytest.mark.parametrize(
    ("names", "why"),
    [({"globe": "mug"}, "the data has no class 'globe'"), ({"glove": "bottle"}, "the weights know no class 'bottle'")],
    ids=["no such label", "no such class"],
)
def test_a_mapping_that_names_what_is_not_there_is_an_error(names, why):
    ((level, text),) = named(names)
    assert level == "error"
    assert why in text
    assert "mug, hat" in text or "hat, glove" in text


def test_a_mapping_for_weights_without_class_names_gives_a_warning():
    ((level, text),) = named({"glove": "mug"}, BACKBONE_ONLY)
    assert level == "warning"
    assert "it has no effect" in text


def test_a_backbone_alone_has_no_class_head_to_compare():
    assert check_base(BACKBONE_ONLY, ["mug"]) == []


def facts_of(base: Path) -> BaseFacts:
    return read_base_facts(base, read_base_description(base))


@pytest.mark.parametrize(
    ("name", "detector"), [("Conv1/kernel", False), ("model/_feature_extractor/x", True)], ids=["backbone", "detector"]
)
def test_arrays_with_checkpoint_keys_are_of_a_detector(tmp_path, name, detector):
    write_arrays({name: np.zeros(1, np.float32)}, describe_base(tmp_path))
    assert facts_of(tmp_path) == BaseFacts(base_description(), detector, None)


def test_a_saved_model_is_of_a_detector(tmp_path):
    assert facts_of(describe_base(tmp_path, "saved_model")).is_detector


def test_the_classes_of_a_base_are_those_of_its_label_map(tmp_path):
    (tmp_path / "label_map.pbtxt").write_text("item { id: 1 name: 'mug' }")
    describe_base(tmp_path, "tf_checkpoint")
    assert facts_of(tmp_path) == BaseFacts(base_description("tf_checkpoint"), True, ("mug",))


@pytest.mark.parametrize("content", [None, b"no archive"], ids=["missing", "damaged"])
def test_missing_or_damaged_arrays_are_an_error(tmp_path, content):
    if content is not None:
        (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"weights\.npz: cannot be read"):
        facts_of(describe_base(tmp_path))
