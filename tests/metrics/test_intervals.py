"""Figures on part of the images, and how far the whole could be off."""

import numpy as np
import pytest

from tasks.artifacts.analysis import Interval
from tasks.artifacts.evaluation import HEADLINES
from tasks.metrics.coco import figures_of
from tasks.metrics.intervals import halves, interval, interval_of_difference, resampled_figures
from tasks.metrics.matching import match_detections
from tests.metrics.cases import dataset
from tests.metrics.reference import generated_case


def test_every_image_once_or_every_image_twice_gives_the_figures_themselves() -> None:
    for seed in range(60):
        truth, detections = generated_case(seed)
        matches = match_detections(truth, detections)
        figures = figures_of(matches)
        found = resampled_figures(matches, np.stack([np.full(len(truth.images), times) for times in (1.0, 2.0)]))
        for name in HEADLINES:
            value = figures.by_name()[name]
            expected = np.nan if value is None else value
            np.testing.assert_allclose(found[name], expected, atol=1e-12, err_msg=f"{name} of case {seed}")
        for name, own in figures.per_class.items():
            np.testing.assert_allclose(found[f"AP of {name}"], np.nan if own.ap is None else own.ap, atol=1e-12)


def test_leaving_an_image_out_gives_the_figures_of_the_rest() -> None:
    for seed in range(60):
        truth, detections = generated_case(seed)
        weights = np.ones((1, len(truth.images)))
        weights[0, 0] = 0
        rest = figures_of(match_detections(dataset(*truth.images[1:], classes=truth.classes), detections[1:]))
        found = resampled_figures(match_detections(truth, detections), weights)
        expected = np.nan if rest.mean_ap is None else rest.mean_ap
        np.testing.assert_allclose(found["mAP"], expected, atol=1e-12, err_msg=f"case {seed}")


def test_halves_come_in_pairs_that_make_the_whole_and_are_the_same_for_a_seed() -> None:
    drawn = halves(7, 50, seed=3)
    assert drawn.shape == (100, 7)
    assert {tuple(row) for row in drawn[::2] + drawn[1::2]} == {(1,) * 7}
    assert set(drawn.sum(axis=1)) == {3, 4}
    np.testing.assert_array_equal(drawn, halves(7, 50, seed=3))
    assert (halves(7, 50, seed=4) != drawn).any()


def of_a_share(images: int, seed: int = 1) -> tuple[float, Interval | None]:
    """The share of images that have something, and its interval."""
    has = np.random.default_rng(seed).uniform(size=images) < 0.3
    drawn = halves(images)
    return has.mean(), interval(has.mean(), drawn @ has / drawn.sum(axis=1), drawn, images)


def test_the_interval_of_a_share_is_that_of_textbooks() -> None:
    share, found = of_a_share(200)
    reach = 1.97 * np.sqrt(share * (1 - share) / 199)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(share - reach, abs=0.01), pytest.approx(share + reach, abs=0.01))


def test_more_images_give_a_narrower_interval() -> None:
    few, many = of_a_share(40)[1], of_a_share(4000)[1]
    assert few is not None
    assert many is not None
    assert 0.05 < (many.high - many.low) / (few.high - few.low) < 0.2


def test_an_interval_stays_within_0_and_1() -> None:
    has = np.arange(30) > 0
    drawn = halves(30)
    found = interval(has.mean(), drawn @ has / drawn.sum(axis=1), drawn, 30)
    assert found is not None
    assert 0 < found.low < 29 / 30 < found.high < 1


def test_too_few_images_or_equal_halves_give_no_interval() -> None:
    drawn = halves(30)
    assert interval(0.5, np.full(len(drawn), np.nan), drawn, 30) is None
    assert interval(1.0, np.ones(len(drawn)), drawn, 30) is None
    assert interval(0.5, np.random.default_rng(1).uniform(size=len(drawn)), drawn, 4) is None


def test_a_difference_may_be_of_either_sign() -> None:
    better = np.random.default_rng(1).normal(-0.02, 0.1, 100)
    drawn = halves(100)
    found = interval_of_difference(better.mean(), drawn @ better / drawn.sum(axis=1), drawn, 100)
    assert found is not None
    assert found.low < better.mean() < found.high
    assert found.high - found.low == pytest.approx(2 * 1.984 * better.std(ddof=1) / 10, rel=0.1)
