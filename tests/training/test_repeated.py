"""Trainings one after another on a toy network: none depends on an earlier one, and a kill changes no bit."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import BusyError, PipelineError
from tasks.ground.unfinished import unfinished_work
from tasks.params import CacheParams, TrainParams
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training import out_of_fold
from tasks.training.out_of_fold import detect_out_of_fold, steps_within
from tasks.training.progress import HistoryRow
from tasks.training.repeated import LabelledRecords, RepeatedTraining
from tests.training.interrupted import InterruptedRunError, until
from tests.training.train_params import train_params

pytestmark = pytest.mark.slow

CACHED = train_params(
    steps=5,
    batch_size=2,
    warmup_steps=1,
    save_every=2,
    freeze=2,
    cache=CacheParams(use="memory", copies=1, dtype="float32", memory_mb=1000),
)
UNCACHED = CACHED.model_copy(update={"freeze": "none"})
FIRST, SECOND = np.arange(8) < 4, np.arange(8) >= 4


def records_of(inputs: Path) -> LabelledRecords:
    folder = inputs / "records"
    images = Dataset(folder, ("cat", "dog"), read_split(folder, "train"))
    return LabelledRecords(folder, shards_of(folder, "train"), images)


def training(inputs: Path, work: Path, params: TrainParams = CACHED) -> RepeatedTraining:
    config, base = inputs / "pipeline.config", inputs / "base"
    return RepeatedTraining(params, records_of(inputs), pipeline_config=config, base=base, work=work)


def assert_equal(some: list[Detections], others: list[Detections]) -> None:
    assert len(some) == len(others) > 0
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.scores, other.scores)


@pytest.mark.parametrize("params", [CACHED, UNCACHED], ids=["features", "images"])
def test_a_training_does_not_depend_on_those_before_it(params: TrainParams, stage_inputs: Path, tmp_path: Path) -> None:
    alone = training(stage_inputs, tmp_path / "alone", params)
    alone.train(SECOND, "second")
    expected = alone.detect(FIRST)
    after = training(stage_inputs, tmp_path / "after", params)
    after.train(FIRST, "first")
    after.train(SECOND, "second")
    assert_equal(after.detect(FIRST), expected)


@pytest.mark.parametrize("params", [CACHED, UNCACHED], ids=["features", "images"])
def test_images_that_are_not_chosen_are_in_no_batch(params: TrainParams, stage_inputs: Path, tmp_path: Path) -> None:
    repeated = training(stage_inputs, tmp_path, params)
    batches = repeated._source.batches(0, np.where(FIRST, 2.0, 0.0))
    shown = [name.decode() for batch in batches.take(12) for name in batch.names.numpy()]
    assert {name: shown.count(name) for name in set(shown)} == {f"{number}.png": 6 for number in range(4)}


def test_another_seed_gives_new_layers_other_values_and_images_another_order_and_none_keeps_the_first(
    stage_inputs: Path, tmp_path: Path
) -> None:
    repeated = training(stage_inputs, tmp_path)
    found, first_losses = {}, {}
    for name, seed in (("params", None), ("other", CACHED.seed + 1), ("same", CACHED.seed)):
        rows: list[HistoryRow] = []
        repeated.train(FIRST, name, rows.append, seed=seed)
        first_losses[name], found[name] = vars(rows[0])["loss"], repeated.detect(SECOND)
    assert_equal(found["same"], found["params"])
    assert first_losses["same"] == first_losses["params"] != first_losses["other"]


def test_a_resumed_training_of_another_seed_ends_with_the_same_bits(stage_inputs: Path, tmp_path: Path) -> None:
    whole = training(stage_inputs, tmp_path / "whole", UNCACHED)
    whole.train(FIRST, "first", seed=5)
    killed = training(stage_inputs, tmp_path / "killed", UNCACHED)
    with suppress(InterruptedRunError):
        killed.train(FIRST, "first", until(3), seed=5)
    killed.train(FIRST, "first", seed=5)
    assert_equal(killed.detect(SECOND), whole.detect(SECOND))


@pytest.mark.parametrize("cached", [True, False], ids=["features", "images"])
def test_no_mosaic_shows_an_image_that_is_not_chosen(cached: bool, stage_inputs: Path, tmp_path: Path) -> None:
    params = CACHED if cached else UNCACHED
    augment = params.augment.model_copy(update={"mosaic": 1.0, "crop": 0.0, "zoom_out": 0.0})
    repeated = training(stage_inputs, tmp_path, params.model_copy(update={"augment": augment}))
    # Each image has one box, a mosaic those of four.
    for batch in repeated._source.batches(0, np.where(FIRST, 2.0, 0.0)).take(8):
        assert (batch.weights.numpy().sum(axis=1) == 1).all()


def test_images_to_detect_in_may_be_others_than_those_to_train_on(stage_inputs: Path, tmp_path: Path) -> None:
    own = training(stage_inputs, tmp_path / "own")
    own.train(FIRST, "first")
    records = records_of(stage_inputs)
    folder = records.folder
    detected = LabelledRecords(
        folder, shards_of(folder, "val"), replace(records.images, images=read_split(folder, "val"))
    )
    config, base = stage_inputs / "pipeline.config", stage_inputs / "base"
    other = RepeatedTraining(
        CACHED, records, pipeline_config=config, base=base, work=tmp_path / "other", detected=detected
    )
    other.train(FIRST, "first")
    # The val split of these records has the same images.
    assert_equal(other.detect_all(), own.detect_all())


def test_class_balance_is_that_of_the_chosen_images(stage_inputs: Path, tmp_path: Path) -> None:
    repeated = training(stage_inputs, tmp_path, CACHED.model_copy(update={"class_balance": 1.0}))
    repeated._images = tuple(
        replace(image, classes=("cat",)) if number in (0, 5) else image for number, image in enumerate(repeated._images)
    )
    # Of the first four, three show a dog and one a cat, which comes three times as often.
    np.testing.assert_allclose(repeated._shares(FIRST), [4, 4 / 3, 4 / 3, 4 / 3, 0, 0, 0, 0])


def test_a_killed_training_ends_with_the_same_bits(stage_inputs: Path, tmp_path: Path) -> None:
    whole = training(stage_inputs, tmp_path / "whole")
    whole.train(FIRST, "first")
    killed = training(stage_inputs, tmp_path / "killed")
    with suppress(InterruptedRunError):
        killed.train(FIRST, "first", until(3))
    again = training(stage_inputs, tmp_path / "killed")
    steps: list[int] = []
    again.train(FIRST, "first", lambda row: steps.append(row.step))
    assert steps == [3, 4, 5]
    assert_equal(again.detect(SECOND), whole.detect(SECOND))


def test_out_of_fold_detections_come_in_the_order_of_the_images_and_ended_folds_are_kept(
    stage_inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = np.array([0, 1, 0, 1, 1, 0, 1, 0])
    config, base = stage_inputs / "pipeline.config", stage_inputs / "base"

    def detect() -> list[Detections]:
        return detect_out_of_fold(
            CACHED, records_of(stage_inputs), folds, pipeline_config=config, base=base, work=tmp_path / "work"
        )

    found = detect()
    alone = training(stage_inputs, tmp_path / "alone")
    alone.train(folds != 1, "any")
    expected = alone.detect(folds == 1)
    ours = [found[int(i)] for i in np.flatnonzero(folds == 1)]
    for one, other in zip(ours, expected, strict=True):
        # Files have rounded numbers.
        np.testing.assert_allclose(one.boxes, other.boxes, atol=0.01)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
    monkeypatch.setattr(out_of_fold, "RepeatedTraining", None)
    assert_equal(detect(), found)


def test_a_review_that_was_killed_goes_on_with_the_fold_that_had_not_ended(
    stage_inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folds = np.array([0, 1, 0, 1, 1, 0, 1, 0])
    config, base = stage_inputs / "pipeline.config", stage_inputs / "base"

    def detect(work: str) -> list[Detections]:
        return detect_out_of_fold(
            CACHED, records_of(stage_inputs), folds, pipeline_config=config, base=base, work=tmp_path / work
        )

    whole = detect("whole")
    train, seen = RepeatedTraining.train, []

    def train_until_killed(own: RepeatedTraining, chosen: Any, name: str) -> None:
        seen.append(name)
        train(own, chosen, name, until(3) if len(seen) == 2 else lambda row: None)

    monkeypatch.setattr(RepeatedTraining, "train", train_until_killed)
    with suppress(InterruptedRunError):
        detect("killed")
    capsys.readouterr()
    assert_equal(detect("killed"), whole)
    assert seen == ["fold-1", "fold-2", "fold-2"]
    assert "(1 training of 5 steps of " in capsys.readouterr().out


def test_a_review_beside_another_is_told_that_it_passes_by_itself(stage_inputs: Path, tmp_path: Path) -> None:
    config, base = stage_inputs / "pipeline.config", stage_inputs / "base"
    with (
        unfinished_work(tmp_path, "0" * 16, PipelineError()),
        pytest.raises(BusyError, match="another process is using this folder"),
    ):
        detect_out_of_fold(
            CACHED, records_of(stage_inputs), np.arange(8) % 2, pipeline_config=config, base=base, work=tmp_path
        )


@pytest.mark.parametrize(
    ("seconds", "step_s", "steps"), [(60, 0.5, 120), (-5, 0.5, 40), (1, 0.5, 40), (10_000, 0.5, 2000)]
)
def test_steps_fit_into_the_time_within_limits(seconds: float, step_s: float, steps: int) -> None:
    assert steps_within(seconds, step_s) == steps


def test_another_number_of_steps_is_trained_as_if_it_had_been_wanted_at_once(
    stage_inputs: Path, tmp_path: Path
) -> None:
    expected = training(stage_inputs, tmp_path / "at once", CACHED.model_copy(update={"steps": 3, "eval_every": 3}))
    expected.train(FIRST, "first")
    changed = training(stage_inputs, tmp_path / "changed")
    changed.set_steps(3)
    step_s, image_s = changed.seconds()
    assert step_s > 0 < image_s
    steps: list[int] = []
    changed.train(FIRST, "first", lambda row: steps.append(row.step))
    assert steps == [1, 2, 3]
    assert_equal(changed.detect(SECOND), expected.detect(SECOND))
