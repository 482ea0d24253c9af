"""Which photos of a run are compared with the training photos, and what is reported."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.errors import CheckpointError, FormatError, PipelineError
from tasks.prediction.alarm import MOST_COMPARED, Alarm, alarm_of, refuse_bad_rate, verdict_of
from tasks.prediction.inputs import Picture
from tests.prediction.world import GridEmbedder, learned_from, scene

TRAINING = range(1000, 1100)


def alarm_for(folder: Path, embedder: GridEmbedder | None = None, rate: float = 0.01) -> Alarm:
    return alarm_of(learned_from(folder, TRAINING), rate, lambda: embedder or GridEmbedder())


def look_at(alarm: Alarm, count: int, *, light: float = 1.0) -> None:
    for seed in range(count):
        alarm.look(Picture(f"{seed}.png", str(seed), Image.fromarray(scene(seed, light=light))))


def test_photos_like_those_in_training_are_no_alarm(tmp_path: Path) -> None:
    alarm = alarm_for(tmp_path)
    look_at(alarm, 30)
    verdict, text = verdict_of(alarm)
    assert verdict is not None
    assert (text, verdict.figures()) == ("", {"compared": 30, "differences": [], "most_unlike": []})


def test_dark_photos_are_reported_with_what_to_do(tmp_path: Path) -> None:
    alarm = alarm_for(tmp_path)
    look_at(alarm, 30, light=0.35)
    verdict, text = verdict_of(alarm)
    first, look, label, chance = text.splitlines()
    assert first.startswith("unlike the training photos: darker (median brightness 51 against 144 in training)")
    assert look.startswith("  the boxes may be wrong: look at ")
    assert look.count(".png") == 3
    assert label.endswith("`python -m tasks suggest FOLDER` chooses which (docs/unlike-photos.md)")
    assert chance == "  1 in 100 batches like the training photos is reported, too"
    assert verdict is not None
    figures = verdict.figures()
    assert [each["property"] for each in figures["differences"]] == ["brightness"]
    assert figures["differences"][0]["p"] <= 0.01 / 3
    assert len(figures["most_unlike"]) == 3


def test_of_many_photos_a_sample_is_embedded_in_which_all_are_equally_likely(tmp_path: Path) -> None:
    embedder = GridEmbedder()
    alarm = alarm_for(tmp_path, embedder)
    look_at(alarm, 300)
    verdict = alarm.verdict()
    assert verdict is not None
    assert embedder.photos == len(verdict.names) == len(set(verdict.names)) == MOST_COMPARED
    assert 90 < np.mean([int(name.removesuffix(".png")) for name in verdict.names]) < 210


def test_few_photos_are_not_compared_and_nothing_is_loaded(tmp_path: Path) -> None:
    def load() -> GridEmbedder:
        raise AssertionError("loaded")

    alarm = alarm_of(learned_from(tmp_path, TRAINING), 0.01, load)
    look_at(alarm, 4)
    assert verdict_of(alarm) == (None, "")


@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_without_training_photos_or_a_rate_nothing_is_compared(rate: float, tmp_path: Path) -> None:
    alarm = alarm_of(tmp_path if rate else learned_from(tmp_path, TRAINING), rate, GridEmbedder)
    look_at(alarm, 30, light=0.35)
    assert verdict_of(alarm) == (None, "")


def test_missing_weights_do_not_fail_a_run_that_is_done(tmp_path: Path) -> None:
    def load() -> GridEmbedder:
        raise CheckpointError("weights/x.npz is missing")

    alarm = alarm_of(learned_from(tmp_path, TRAINING), 0.01, load)
    look_at(alarm, 30)
    assert verdict_of(alarm) == (None, "not compared with the training photos: weights/x.npz is missing")


def test_a_damaged_table_is_named_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "training_photos.npy").write_bytes(b"damaged")
    with pytest.raises(FormatError, match=r"training_photos\.npy: not what the export stage writes"):
        alarm_of(tmp_path, 0.01, GridEmbedder)


@pytest.mark.parametrize("rate", [-0.01, 0.0009, 0.21, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(PipelineError, match=r"--alarm-rate .*: a share of false alarms from 0\.001 to 0\.2, or 0"):
        refuse_bad_rate(rate)


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.2])
def test_a_rate_in_range_is_taken(rate: float) -> None:
    refuse_bad_rate(rate)
