"""Trainings on subsets of a toy network's images: killed and started again, they end with the same figures."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.dataset.detections import Detections
from tasks.metrics.more_data import measured_curve
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training import subset_trainings
from tasks.training.progress import RowListener
from tasks.training.repeated import LabelledRecords, RepeatedTraining
from tasks.training.subset_trainings import SubsetTraining, detect_after_each
from tests.training.interrupted import InterruptedRunError, until
from tests.training.test_repeated import CACHED, assert_equal, records_of

pytestmark = pytest.mark.slow

HALF, WHOLE = np.arange(8) % 2 == 0, np.ones(8, bool)
TRAININGS = [
    SubsetTraining(f"{mask.sum()} images, seed {seed}", mask, seed) for seed in (1, 2) for mask in (HALF, WHOLE)
]


def detect(inputs: Path, work: Path, trainings: list[SubsetTraining] = TRAININGS) -> list[list[Detections]]:
    return detect_after_each(
        CACHED,
        records_of(inputs),
        held_out(inputs),
        trainings,
        pipeline_config=inputs / "pipeline.config",
        base=inputs / "base",
        work=work,
    )


def held_out(inputs: Path) -> LabelledRecords:
    records = records_of(inputs)
    images = replace(records.images, images=read_split(records.folder, "val"))
    return LabelledRecords(records.folder, shards_of(records.folder, "val"), images)


def test_a_killed_run_goes_on_and_gives_the_same_figures(
    stage_inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = detect(stage_inputs, tmp_path / "whole")
    printed = capsys.readouterr().out
    assert printed.count("learning-curve: about ") == 1
    assert "on this machine (4 trainings of 5 steps of " in printed
    assert "learning-curve: training 4 of 4: 8 images, seed 2" in printed

    class Killed(RepeatedTraining):
        """In the third training, after its third step."""

        def train(self, chosen, name, listener: RowListener = lambda row: None, **options) -> None:
            super().train(chosen, name, until(3) if name == TRAININGS[2].key else listener, **options)

    with monkeypatch.context() as patch:
        patch.setattr(subset_trainings, "RepeatedTraining", Killed)
        with suppress(InterruptedRunError):
            detect(stage_inputs, tmp_path / "killed")
    capsys.readouterr()
    again = detect(stage_inputs, tmp_path / "killed")
    assert "learning-curve: 2 trainings of 4 done before" in capsys.readouterr().out
    for ours, theirs in zip(again, whole, strict=True):
        assert_equal(ours, theirs)

    # All is there: nothing is trained any more, and another seed adds to it.
    more = [*TRAININGS, SubsetTraining("8 images, seed 3", WHOLE, 3)]
    with monkeypatch.context() as patch:
        patch.setattr(subset_trainings, "RepeatedTraining", None)
        assert_equal(detect(stage_inputs, tmp_path / "killed")[3], whole[3])
    assert len(detect(stage_inputs, tmp_path / "killed", more)) == 5
    assert "4 trainings of 5 done before" in capsys.readouterr().out

    images = held_out(stage_inputs).images
    curves = [
        measured_curve(
            [(50, 4), (100, 8)], images, [found[0:4:2], found[1:4:2]], scored={"val": 8}, model="toy", steps=5
        )
        for found in (whole, again)
    ]
    assert curves[0] == curves[1]
    assert len(curves[0].sizes[1].scores) == 2
