"""What the choice of the scored images does to several trainings, measured in a world whose truth is known."""

import numpy as np
import pytest

from tasks.metrics.analysis import intervals_of
from tasks.metrics.coco import figures_of
from tasks.metrics.matching import Matches, match_detections
from tasks.metrics.scored_images import scored_images
from tests.metrics.simulated import draw_for

# From a skill of 0.8 to one of 1: the mean over six test sets of 2,000 images each.
TRUE_GAIN = 0.084


def trainings(images: int, skills: list[list[float]], seed: int = 1) -> list[list[Matches]]:
    """For each size and seed a detector of that skill, all on the same images."""
    flat = [skill for own in skills for skill in own]
    truth, found = draw_for(np.random.default_rng(seed), images, flat)
    matches = iter([match_detections(truth, each) for each in found])
    return [[next(matches) for _ in own] for own in skills]


def test_the_images_noise_of_a_mean_is_about_that_of_one_and_larger_than_that_of_a_difference() -> None:
    over = scored_images(trainings(120, [[0.7, 0.7], [1.0, 1.0]]))
    assert over.images == 120
    assert over.deviations.shape[1:] == (2, 2)
    noise = over.noise()
    of_one, of_mean = over.deviations[:, 1, 0].std(), noise[:, 1].std()
    # Seen over many draws of 120 such images, it is .025.
    assert 0.015 < of_mean <= 1.05 * of_one < 0.045
    assert (noise[:, 1] - noise[:, 0]).std() < noise.std(axis=0).max() * 1.2


def test_the_mean_and_spread_of_the_noise_are_those_of_the_figures_own_interval() -> None:
    (once,), (other,) = trainings(120, [[1.0], [0.8]])
    noise = scored_images([[other], [once]]).noise()[:, 1]
    interval, value = intervals_of(once)["mAP"], figures_of(once).mean_ap
    assert interval is not None
    assert value is not None
    low, high = value + np.quantile(noise, [0.025, 0.975])
    assert (low, high) == pytest.approx(interval, abs=0.01)


def test_four_times_the_gain_is_seen_on_a_sixteenth_of_the_images() -> None:
    over = scored_images(trainings(80, [[0.9, 0.9], [1.0, 1.0]]))
    few, many = over.images_for(0.04), over.images_for(0.01)
    assert few is not None
    assert many == pytest.approx(16 * few, rel=0.02)


def test_on_so_many_images_four_of_five_test_sets_show_the_gain() -> None:
    needed = scored_images(trainings(150, [[0.8], [1.0]], seed=2)).images_for(TRUE_GAIN)
    assert needed is not None
    better = 0
    for seed in range(10, 22):
        (before,), (after,) = trainings(needed, [[0.8], [1.0]], seed)
        difference = (figures_of(after).mean_ap or 0) - (figures_of(before).mean_ap or 0)
        apart = scored_images([[before], [after]]).deviations
        better += difference > 1.96 * (apart[:, 1] - apart[:, 0]).std()
    # Of 12, 9.6 are expected.
    assert 7 <= better <= 12


def test_trainings_that_find_the_same_need_an_unknown_number() -> None:
    ((once,),) = trainings(20, [[1.0]])
    assert scored_images([[once], [once]]).images_for(0.02) is None
