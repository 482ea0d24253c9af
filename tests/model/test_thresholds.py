"""The score that a model is shipped with, and where it comes from."""

from pathlib import Path

import pytest

from tasks.errors import FormatError
from tasks.metrics.matching import match_detections
from tasks.model.thresholds import Thresholds, read_thresholds, write_thresholds
from tasks.stages.export import choose_thresholds
from tests.metrics.cases import annotated, dataset, detect

BOX, APART = [10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0]


def choose(*boxes, wanted=None, images=3):
    """The thresholds for a detector that finds `boxes` in each of `images` images with one cat."""
    val = dataset(*[annotated((BOX, "cat"))] * images, classes=("cat", "dog"))
    return choose_thresholds(match_detections(val, [detect(*boxes)] * images), images, wanted)


def test_the_score_is_where_f1_is_highest_on_validation_images():
    chosen = choose((BOX, "cat", 0.8), (APART, "cat", 0.4))
    assert (chosen.score, chosen.chosen_by, chosen.best_score, chosen.images) == (
        pytest.approx(0.6),
        "F1",
        pytest.approx(0.6),
        3,
    )
    assert chosen.per_class == {"cat": pytest.approx(0.6), "dog": None}
    assert chosen.origin == "at which F1 was highest on the 3 validation images"


def test_the_score_of_the_params_is_shipped_and_the_best_one_is_named():
    chosen = choose((BOX, "cat", 0.8), (APART, "cat", 0.4), wanted=0.25)
    assert (chosen.score, chosen.chosen_by) == (0.25, "params")
    assert chosen.origin == "which export.score_threshold sets; F1 was highest at 0.60 on the validation images"


def test_without_detections_the_score_is_the_default_with_its_reason():
    nothing = choose()
    assert (nothing.score, nothing.chosen_by) == (0.3, "default")
    assert "the validation images have no detections" in nothing.origin
    assert "there are no validation images" in choose(images=0).origin


def test_thresholds_read_back_as_they_were_written(tmp_path: Path):
    chosen = choose((BOX, "cat", 0.8))
    write_thresholds(chosen, tmp_path / "t.json")
    assert read_thresholds(tmp_path / "t.json") == chosen
    with pytest.raises(FormatError, match="no such file; run `dvc repro`, whose stage export"):
        read_thresholds(tmp_path / "nowhere.json")
    assert Thresholds.model_validate_json((tmp_path / "t.json").read_text()) == chosen
