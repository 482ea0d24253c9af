"""A batch of the same photos is seldom announced; a darker, blurred or foreign one is."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.artifacts.training_photos import VECTOR_WIDTH, PhotoFacts
from tasks.metrics.unlike import LEAST_TRAINING_PHOTOS, compare, distinct
from tasks.metrics.unlike_texts import differences_text

TRAINING = 150


def photos(seed: int, count: int, scenes: int = 3, spread: float = 0.7) -> PhotoFacts:
    """Photos of some scenes, each around a vector of its own, in its own light."""
    world = np.random.default_rng(99)
    centres, lights = world.normal(size=(scenes, VECTOR_WIDTH)), world.uniform(60, 180, scenes)
    random = np.random.default_rng((1, seed))
    scene = random.integers(scenes, size=count)
    vectors = centres[scene] + random.normal(scale=spread, size=(count, VECTOR_WIDTH))
    return PhotoFacts(
        vectors.astype(np.float32),
        (lights[scene] + random.normal(scale=15, size=count)).astype(np.float32),
        random.lognormal(-1.5, 0.5, count).astype(np.float32),
    )


def alarms(batch: PhotoFacts, training: PhotoFacts | None = None, seed: int = 0) -> list[str]:
    comparison = compare(training or photos(0, TRAINING), batch, 0.01, seed)
    assert comparison is not None
    return [test.property for test in comparison.alarms]


@pytest.mark.parametrize("count", [5, 50])
def test_few_batches_of_the_same_photos_are_announced(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Exact with any number of draws; 399 are enough for a p value of a third of a percent.
    monkeypatch.setattr("tasks.metrics.unlike.DRAWS", 399)
    batches = 60
    announced = sum(bool(alarms(photos(2 * k + 1, count), photos(2 * k + 2, TRAINING), seed=k)) for k in range(batches))
    # At 1 %, 4 or more of 60 are announced once in 300 times.
    assert announced <= 3


@pytest.mark.slow
@pytest.mark.parametrize("count", [10, 50])
def test_at_most_1_percent_of_1000_batches_of_the_same_photos_are_announced(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.metrics.unlike.DRAWS", 399)
    announced = sum(bool(alarms(photos(2 * k + 1, count), photos(2 * k + 2, TRAINING), seed=k)) for k in range(1000))
    # At 1 %, 21 or more are announced once in 900 times.
    assert announced <= 20


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda batch: replace(batch, brightness=batch.brightness * np.float32(0.35)), ["brightness"]),
        (lambda batch: replace(batch, sharpness=batch.sharpness * np.float32(0.1)), ["sharpness"]),
        (lambda batch: replace(batch, vectors=batch.vectors + np.eye(VECTOR_WIDTH, dtype=np.float32)[0]), ["content"]),
    ],
    ids=["darker", "blurred", "another camera"],
)
def test_a_planted_difference_is_found_in_50_photos(change, expected: list[str]) -> None:
    assert alarms(change(photos(1, 50))) == expected


def test_all_that_differs_is_reported_with_its_medians() -> None:
    batch = photos(1, 50)
    dark = replace(batch, brightness=np.full(50, 41, np.float32), vectors=-3 * batch.vectors)
    comparison = compare(photos(0, TRAINING), dark, 0.01)
    assert comparison is not None
    text = differences_text(comparison)
    assert text.startswith("darker (median brightness 41 against 1")
    assert "; of something else (50 of 50 different photos are further from every training photo" in text


def test_the_photos_furthest_from_training_come_first() -> None:
    batch = photos(1, 20)
    batch.vectors[13] *= 9
    comparison = compare(photos(0, TRAINING), batch, 0.01)
    assert comparison is not None
    assert comparison.most_unlike[0] == 13


def test_a_batch_of_one_of_the_training_scenes_has_known_content() -> None:
    everything = photos(1, 200)
    of_one = everything.chosen(np.flatnonzero(everything.brightness > np.percentile(everything.brightness, 75)))
    assert len(of_one) == 50
    assert "content" not in alarms(of_one)


def test_photos_of_a_few_fixed_cameras_are_no_near_duplicates() -> None:
    comparison = compare(photos(0, TRAINING, spread=0.05), photos(1, 50, spread=0.05), 0.01)
    assert comparison is not None
    assert comparison.photos == 50
    assert not comparison.alarms


def test_another_look_is_left_out_where_light_explains_it() -> None:
    batch = photos(1, 50)
    shifted = replace(batch, vectors=batch.vectors + np.eye(VECTOR_WIDTH, dtype=np.float32)[0])
    dark = replace(shifted, brightness=batch.brightness * np.float32(0.35))
    texts = []
    for each in (shifted, dark):
        comparison = compare(photos(0, TRAINING), each, 0.01)
        assert comparison is not None
        assert comparison.alarms[-1].property == "content"
        texts.append(differences_text(comparison))
    assert texts[0].startswith("of another look (")
    assert texts[1].startswith("darker (")
    assert "look" not in texts[1]


def test_a_certain_trifle_of_light_is_no_alarm() -> None:
    training = photos(0, TRAINING)
    training = replace(training, brightness=np.linspace(100, 110, TRAINING, dtype=np.float32))
    comparison = compare(training, replace(photos(1, 50), brightness=np.full(50, 103, np.float32)), 0.01)
    assert comparison is not None
    assert comparison.tests[0].p < 0.01
    assert not comparison.tests[0].is_alarm


def test_photos_that_are_all_equal_in_light_differ_in_nothing() -> None:
    training, batch = (
        replace(each, brightness=np.full(len(each), 80, np.float32), sharpness=np.zeros(len(each), np.float32))
        for each in (photos(0, TRAINING), photos(1, 50))
    )
    comparison = compare(training, batch, 0.01)
    assert comparison is not None
    assert [test.p for test in comparison.tests[:2]] == [1.0, 1.0]


def frames(scenes: int) -> PhotoFacts:
    """50 frames of scenes that training does not show."""
    chosen = photos(1, scenes).chosen(np.arange(50) % scenes)
    jitter = np.random.default_rng(0).normal(scale=0.01, size=chosen.vectors.shape).astype(np.float32)
    return replace(chosen, vectors=-5 * chosen.vectors + jitter)


def test_frames_of_one_scene_count_once_and_prove_nothing_beside_150_training_photos() -> None:
    comparison = compare(photos(0, TRAINING), frames(1), 0.01)
    assert comparison is not None
    assert comparison.photos == 1
    # Nothing could be less likely: of 151 photos it is the strangest.
    assert comparison.tests[-1].p == pytest.approx(1 / 151, rel=0.4)
    assert not comparison.alarms


def test_frames_of_three_foreign_scenes_are_announced() -> None:
    comparison = compare(photos(0, TRAINING), frames(3), 0.01)
    assert comparison is not None
    assert comparison.photos == 3
    assert [test.property for test in comparison.alarms] == ["content"]


def test_the_first_of_near_duplicates_stays() -> None:
    few = photos(0, 4)
    assert distinct(few.chosen(np.array([2, 0, 2, 1, 0])), near=0.1).tolist() == [0, 1, 3]


def test_too_few_photos_and_photos_that_are_no_numbers_are_not_compared() -> None:
    training, batch = photos(0, TRAINING), photos(1, 50)
    assert compare(training, batch.chosen(np.arange(4)), 0.01) is None
    assert compare(training.chosen(np.arange(LEAST_TRAINING_PHOTOS - 1)), batch, 0.01) is None
    assert compare(training, batch.chosen(np.arange(0)), 0.01) is None
    assert compare(training, replace(batch, sharpness=np.full(50, np.nan, np.float32)), 0.01) is None


def test_training_photos_that_are_all_the_same_are_not_compared() -> None:
    assert compare(photos(0, 1).chosen(np.zeros(TRAINING, dtype=np.intp)), photos(1, 50), 0.01) is None
