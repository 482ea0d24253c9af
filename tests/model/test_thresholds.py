"""The score that a model is shipped with, and where it comes from."""

from pathlib import Path

import pytest

from tasks.errors import FormatError
from tasks.model.thresholds import Thresholds, read_thresholds, write_thresholds
from tasks.stages.export import choose_thresholds
from tests.metrics.cases import annotated, dataset, detect

BOX, APART = [10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0]


class Finds:
    """A detector that finds the same in each image."""

    classes = ("cat", "dog")

    def __init__(self, *boxes):
        self._found = detect(*boxes)

    def detect(self, images):
        return [self._found] * len(images)


@pytest.fixture
def val(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.evaluation.scoring.read_rgb", lambda path: None)
    return dataset(*[annotated((BOX, "cat"))] * 3, classes=("cat", "dog"))


def test_the_score_is_where_f1_is_highest_on_validation_images(val):
    chosen = choose_thresholds(Finds((BOX, "cat", 0.8), (APART, "cat", 0.4)), val, None)
    assert (chosen.score, chosen.chosen_by, chosen.best_score, chosen.images) == (
        pytest.approx(0.6),
        "F1",
        pytest.approx(0.6),
        3,
    )
    assert chosen.per_class == {"cat": pytest.approx(0.6), "dog": None}
    assert chosen.origin == "at which F1 was highest on the 3 validation images"


def test_the_score_of_the_params_is_shipped_and_the_best_one_is_named(val):
    chosen = choose_thresholds(Finds((BOX, "cat", 0.8), (APART, "cat", 0.4)), val, 0.25)
    assert (chosen.score, chosen.chosen_by) == (0.25, "params")
    assert chosen.origin == "which export.score_threshold sets; F1 was highest at 0.60 on the validation images"


def test_without_detections_the_score_is_the_default_with_its_reason(val):
    nothing = choose_thresholds(Finds(), val, None)
    assert (nothing.score, nothing.chosen_by) == (0.3, "default")
    assert "the validation images have no detections" in nothing.origin
    assert "there are no validation images" in choose_thresholds(Finds(), dataset(classes=("cat", "dog")), None).origin


def test_thresholds_read_back_as_they_were_written(val, tmp_path: Path):
    chosen = choose_thresholds(Finds((BOX, "cat", 0.8)), val, None)
    write_thresholds(chosen, tmp_path / "t.json")
    assert read_thresholds(tmp_path / "t.json") == chosen
    with pytest.raises(FormatError, match="no such file; run `dvc repro`, whose stage export"):
        read_thresholds(tmp_path / "nowhere.json")
    assert Thresholds.model_validate_json((tmp_path / "t.json").read_text()) == chosen
