"""The curve of mAP over training images: planted ones are found, and bands hold the truth."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tasks.metrics import learning_curve
from tasks.metrics.learning_curve import Measured, fit_learning_curve, why_no_curve

IMAGES = np.array([25.0, 50.0, 100.0])


def power_law(images: npt.ArrayLike, *, a: float, b: float, c: float) -> npt.NDArray[np.float64]:
    """Of mAP; `b` is how far it is below `a` at 100 images."""
    return np.asarray(a - b * (np.asarray(images) / 100.0) ** -c)


def measured(means: npt.ArrayLike, spread: float = 1e-3, images: npt.NDArray[np.float64] = IMAGES) -> Measured:
    """Three seeds around each mean, and scored images that leave nothing to chance."""
    scores = np.asarray(means, np.float64)[:, None] + spread * np.array([-1.0, 0.0, 1.0])
    return Measured(images, scores, np.zeros((1, len(images))))


@pytest.mark.parametrize(("b", "c"), [(0.2, 0.3), (0.12, 0.5), (0.03, 1.0)])
def test_a_planted_curve_is_found_from_enough_sizes(b: float, c: float) -> None:
    images = np.array([5.0, 10.0, 20.0, 40.0, 70.0, 100.0])
    curve = fit_learning_curve(measured(power_law(images, a=0.8, b=b, c=c), 1e-3, images))
    truth = power_law(200.0, a=0.8, b=b, c=c)
    assert curve.at(200).value == pytest.approx(truth, abs=0.002)
    assert curve.gain(200).value == pytest.approx(truth - (0.8 - b), abs=0.002)
    assert curve.exponent[0] == pytest.approx(c, rel=0.05)
    assert curve.fits


def test_three_sizes_without_noise_leave_little_open_and_two_leave_the_prior() -> None:
    truth = power_law(IMAGES, a=0.8, b=0.15, c=0.5)
    three = fit_learning_curve(measured(truth))
    two = fit_learning_curve(measured(truth[1:], images=IMAGES[1:]))
    assert three.gain(200).value == pytest.approx(0.15 * (1 - 2**-0.5), abs=0.005)
    assert np.ptp(two.gain(200).interval) > 1.5 * np.ptp(three.gain(200).interval)
    # By the prior, the gain of the last doubling comes again at 0.26 to 0.92 of its size.
    last = truth[2] - truth[1]
    low, high = two.gain(200).interval
    assert 0.2 * last < low < 0.5 * last
    assert 0.8 * last < high < 1.05 * last


def test_the_curve_and_its_band_never_fall_and_stay_between_0_and_1() -> None:
    curve = fit_learning_curve(measured([0.2, 0.6, 0.97], 0.02))
    places = [curve.at(images) for images in np.linspace(25, 2000, 60)]
    for values in zip(*[(place.value, *place.interval) for place in places], strict=True):
        assert (np.diff(values) >= -1e-12).all()
        assert min(values) >= 0
        assert max(values) <= 1
    low, high = curve.gain(200).interval
    assert 0 <= low <= curve.gain(200).value <= high


def test_a_wider_spread_over_seeds_gives_a_wider_band() -> None:
    truth = power_law(IMAGES, a=0.7, b=0.1, c=0.5)
    sure, unsure = (fit_learning_curve(measured(truth, spread)) for spread in (0.003, 0.03))
    assert np.ptp(unsure.gain(200).interval) > 1.5 * np.ptp(sure.gain(200).interval)


def test_other_scored_images_move_the_whole_curve_and_leave_the_gain() -> None:
    alone = measured(power_law(IMAGES, a=0.7, b=0.1, c=0.5), 0.005)
    shifts = np.random.default_rng(1).normal(0, 0.04, (600, 1)) * np.ones(3)
    moved, fixed = (fit_learning_curve(each) for each in (replace(alone, image_noise=shifts), alone))
    assert np.ptp(moved.at(200).interval) > 3 * np.ptp(fixed.at(200).interval)
    assert np.ptp(moved.gain(200).interval) == pytest.approx(np.ptp(fixed.gain(200).interval), rel=0.15)


def test_sizes_that_no_such_curve_passes_are_named() -> None:
    assert not fit_learning_curve(measured([0.5, 0.3, 0.6], 0.002)).fits
    assert fit_learning_curve(measured([0.5, 0.3, 0.6], 0.2)).fits


@pytest.mark.parametrize("means", [[0.3, 0.5, 0.45], [0.2, 0.55, 0.5], [0.3, 0.6, 0.9]])
def test_seeds_that_agree_do_not_make_the_band_of_a_wrong_curve_narrow(means: list[float]) -> None:
    curve = fit_learning_curve(measured(means, 0.002))
    assert not curve.fits
    # Whatever comes next: mAP stays where it is, or rises by a fraction of what the last doublings brought.
    low, high = curve.gain(200).interval
    assert high - low > 0.05
    assert low <= curve.gain(200).value <= high


@pytest.mark.parametrize(("c", "b"), [(0.3, 0.3), (0.5, 0.1), (1.0, 0.1), (1.5, 0.05)])
@pytest.mark.parametrize("image_spread", [0.0, 0.03], ids=["seeds", "images"])
def test_the_95_percent_band_holds_the_truth_in_nine_of_ten_worlds(
    c: float, b: float, image_spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_curve, "DRAWS", 400)
    worlds, held = 100, np.zeros(2)
    random = np.random.default_rng(5)
    # The same images are scored at every size: most of their noise is common.
    mixing = image_spread * np.linalg.cholesky(0.1 * np.eye(3) + 0.9)
    truth = power_law([*IMAGES, 200.0], a=0.7, b=b, c=c)
    for world in range(worlds):
        spread = 0.015 / np.sqrt(IMAGES / 100)[:, None]
        scores = truth[:3, None] + (mixing @ random.standard_normal(3))[:, None] + spread * random.normal(size=(3, 3))
        own = Measured(IMAGES, scores, random.standard_normal((400, 3)) @ mixing.T)
        assert why_no_curve(own) is None
        curve = fit_learning_curve(own, world)
        for place, (estimate, true) in enumerate(((curve.at(200), truth[3]), (curve.gain(200), truth[3] - truth[2]))):
            held[place] += estimate.interval.low <= true <= estimate.interval.high
    assert (held >= 0.9 * worlds).all(), held


@pytest.mark.parametrize(
    ("means", "sentence"),
    [
        ([0.0, 0.0, 0.0], "mAP is 0 after every training"),
        ([0.0, 0.0, 0.2], "mAP is 0 on the fewest images (0.000 on 25, 0.000 on 50, 0.200 on 100 images)"),
        (
            [0.4, 0.4, 0.4],
            "mAP does not rise with the number of images (0.400 on 25, 0.400 on 50, 0.400 on 100 images)",
        ),
        (
            [0.5, 0.45, 0.4],
            "mAP does not rise with the number of images (0.500 on 25, 0.450 on 50, 0.400 on 100 images), so",
        ),
    ],
    ids=["nothing", "only-the-largest", "equal", "falling"],
)
@pytest.mark.parametrize("spread", [0.0, 0.001])
def test_no_curve_is_fitted_where_none_says_anything(means: list[float], sentence: str, spread: float) -> None:
    scores = np.maximum(measured(means, spread).scores, 0) if spread and means[0] else measured(means, 0.0).scores
    why = why_no_curve(Measured(IMAGES, scores, np.zeros((1, 3))))
    assert why is not None
    assert why.startswith(sentence)


@pytest.mark.parametrize(
    ("scores", "noise"),
    [(np.zeros((3, 1)), np.zeros((1, 3))), (np.zeros((2, 3)), np.zeros((1, 3))), (np.zeros((3, 3)), np.zeros(3))],
    ids=["one-seed", "two-sizes-of-three", "noise-of-one-axis"],
)
def test_arrays_of_another_shape_are_refused(scores: npt.NDArray[np.float64], noise: npt.NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Measured(IMAGES, scores, noise)
