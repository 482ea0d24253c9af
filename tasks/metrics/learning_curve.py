"""The curve of mAP over training images, and what more images would bring, with a band.

mAP(n) = a - b n^-c, the inverse power law (Cortes et al., Learning Curves: Asymptotic Values and Rate of Convergence,
NIPS 1993; Figueroa et al., Predicting sample size required for classification performance, 2012, who weight the sizes;
Viering & Loog, The Shape of Learning Curves: a Review, arXiv:2103.10948). mAP is in 0..1, and on the curve more images
are never worse: 0 <= a <= 1, b >= 0, c > 0.

A few sizes do not determine three parameters: next to straight lines fit as well as curves that are flat from here on.
So c has a prior, whose width is in the band: log c is normal around log 0.5, and 95 % of it is between 0.13 and 2. The
exponents of the review's power laws lie there, 0.5 and 1 of theory among them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from tasks.artifacts.analysis import Interval

DRAWS = 2000
_PRIOR_LOG_C, _PRIOR_SPREAD = float(np.log(0.5)), 0.7
_GRID = np.exp(_PRIOR_LOG_C + _PRIOR_SPREAD * np.linspace(-3, 3, 61))
# The spread over a few seeds is hardly known: it counts as if so many more seeds had shown the mean of all sizes
# (moderated variances: Smyth 2004, doi:10.2202/1544-6115.1027).
_PRIOR_SEEDS = 4
# Below it a spread is one of rounding.
_LEAST_SPREAD = 1e-4
_TAIL = 0.025
# Sizes so far from the curve are one in a hundred where the form holds.
_MISFIT_P = 0.01

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """The mAP of trainings on several numbers of images.

    S sizes, K seeds, R draws.

    Attributes:
        images: `(S,)` training images, rising.
        scores: `(S, K)` mAP of each training; at least two seeds.
        image_noise: `(R, S)` what the mean of each size may be on all images, less what it is on those that were
            scored: each row is one draw, for all sizes the same images.
    """

    images: _Floats
    scores: _Floats
    image_noise: _Floats

    def __post_init__(self) -> None:
        sizes = len(self.images)
        if self.scores.ndim != 2 or self.scores.shape[0] != sizes or self.scores.shape[1] < 2:
            raise ValueError(f"expected scores of shape ({sizes}, at least 2), but got {self.scores.shape}")
        if self.image_noise.ndim != 2 or self.image_noise.shape[1] != sizes:
            raise ValueError(f"expected image_noise of shape (R, {sizes}), but got {self.image_noise.shape}")


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class LearningCurve:
    """A fitted curve, and those that fit what might have been measured as well; `now` is the largest size measured.

    Attributes:
        now: training images.
        level: `(1 + R,)` mAP there; entry 0 is the fit, the others are draws, here and below.
        height: `(1 + R,)` b, in mAP at `now`: how far the level is below a.
        exponent: `(1 + R,)` c.
        fits: whether the sizes lie as near to the curve as chance lets them.
    """

    now: float
    level: _Floats
    height: _Floats
    exponent: _Floats
    fits: bool

    def at(self, images: float) -> Estimate:
        """The mAP after training on so many images, for all images of the kind that were scored."""
        return _estimate(np.clip(self.level + self._gain(images), 0.0, 1.0))

    def gain(self, images: float) -> Estimate:
        """How much more mAP than `now`, on the same images."""
        return _estimate(self._gain(images))

    @property
    def power(self) -> Estimate:
        """c, of which the sizes say little: see the prior."""
        return _estimate(self.exponent)

    def _gain(self, images: float) -> _Floats:
        return np.asarray(self.height * (1.0 - (images / self.now) ** -self.exponent))


def fit_learning_curve(measured: Measured, seed: int = 0) -> LearningCurve:
    """The curve nearest to the mean of each size, weighted by the spread over seeds, and a parametric bootstrap of it.

    Each draw changes the means by what other seeds and other scored images might have given, and the middle of the
    prior of c by its width. Where the sizes lie further from the curve than chance explains, how far they do counts as
    an error of each: else seeds that agree would make the band of a wrong curve narrow.
    """
    random = np.random.default_rng(seed)
    means, errors, freedom = _means(measured.scores)
    shares = measured.images / measured.images[-1]
    residuals = _residuals(shares, means, errors)
    chance = np.diag(errors**2 * freedom / (freedom - 2)) + np.cov(measured.image_noise, rowvar=False, bias=True)
    fits = _is_near(residuals, chance)
    if not fits:
        errors = np.sqrt(errors**2 + residuals @ residuals / (len(means) - 2))
    noise = measured.image_noise[random.integers(0, len(measured.image_noise), DRAWS)]
    drawn = means + errors * random.standard_t(freedom, (DRAWS, len(means))) + noise
    middles = _PRIOR_LOG_C + _PRIOR_SPREAD * random.standard_normal(DRAWS)
    values, middles = np.vstack([means, drawn]), np.append(_PRIOR_LOG_C, middles)
    level, height, exponent = _nearest(shares, values, errors, middles)
    return LearningCurve(float(measured.images[-1]), level, height, exponent, fits)


def why_no_curve(measured: Measured) -> str | None:
    """A sentence where no curve can be fitted that says anything; None where one can."""
    means = measured.scores.mean(axis=1)
    sizes = ", ".join(f"{value:.3f} on {int(images)}" for value, images in zip(means, measured.images, strict=True))
    if means[-1] <= _LEAST_SPREAD:
        return "mAP is 0 after every training, so nothing is known of more images: take more --steps"
    if means[0] <= _LEAST_SPREAD:
        return f"mAP is 0 on the fewest images ({sizes} images): begin with a larger size, or take more --steps"
    if means[-1] - means[0] <= _LEAST_SPREAD:
        return (
            f"mAP does not rise with the number of images ({sizes} images), so what more would bring cannot be told: "
            "take more --steps, if they are few, or more --seeds"
        )
    return None


def _means(scores: _Floats) -> tuple[_Floats, _Floats, float]:
    """The mean of each size, its standard error, and the degrees of freedom of that."""
    seeds = scores.shape[1]
    own = scores.var(axis=1, ddof=1)
    freedom = seeds - 1 + _PRIOR_SEEDS
    variance = ((seeds - 1) * own + _PRIOR_SEEDS * own.mean()) / freedom
    return scores.mean(axis=1), np.sqrt(np.maximum(variance, _LEAST_SPREAD**2) / seeds), float(freedom)


def _residuals(shares: _Floats, means: _Floats, errors: _Floats) -> _Floats:
    """How far each mean, `(S,)`, lies above the curve that is nearest to them."""
    (level,), (height,), (exponent,) = _nearest(shares, means[None], errors, np.array([_PRIOR_LOG_C]))
    return np.asarray(means - level - height * (1.0 - shares**-exponent))


def _is_near(residuals: _Floats, chance: _Floats) -> bool:
    """Whether chance of the covariance `chance` leaves such residuals in more than one of a hundred measurements."""
    spare = len(residuals) - 2
    return spare == 0 or bool(stats.chi2.sf(residuals @ np.linalg.solve(chance, residuals), spare) > _MISFIT_P)


def _nearest(shares: _Floats, values: _Floats, errors: _Floats, middles: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Level, height and exponent of the curve nearest to each row of `values`, `(R, S)`.

    For each c of a grid, the best of the others is a weighted least squares of two parameters; where it breaks a bound,
    the best lies on one. `shares` are sizes in those of the last, `middles` `(R,)` the middle of each row's prior.
    """
    weights = 1.0 / errors**2
    best = [np.full(len(values), np.inf), *(np.zeros(len(values)) for _ in range(3))]
    for c in _GRID:
        level, height = _bounded(values, 1.0 - shares**-c, weights)
        apart = (weights * (values - level[:, None] - height[:, None] * (1.0 - shares**-c)) ** 2).sum(axis=1)
        cost = apart + ((np.log(c) - middles) / _PRIOR_SPREAD) ** 2
        better = cost < best[0]
        for kept, new in zip(best, (cost, level, height, np.full(len(values), c)), strict=True):
            kept[better] = new[better]
    _, level, height, exponent = best
    return level, height, exponent


def _bounded(values: _Floats, rise: _Floats, weights: _Floats) -> tuple[_Floats, _Floats]:
    """Level and height, `(R,)` each, of the lines level + height * rise nearest to the rows of `values`.

    Within 0 <= height and level + height <= 1.
    """
    total = weights.sum()
    centre = (weights * rise).sum() / total
    mean = values @ weights / total
    height = values @ (weights * (rise - centre)) / (weights * (rise - centre) ** 2).sum()
    height = np.maximum(height, 0.0)
    level = mean - height * centre
    beyond = level + height > 1.0
    # On that bound the line is 1 - height * (1 - rise).
    below = 1.0 - rise
    on_bound = np.maximum((1.0 - values) @ (weights * below) / (weights * below**2).sum(), 0.0)
    height = np.where(beyond, on_bound, height)
    return np.clip(np.where(beyond, 1.0 - on_bound, level), 0.0, 1.0), height


def _estimate(values: _Floats) -> Estimate:
    low, high = np.quantile(values[1:], [_TAIL, 1 - _TAIL])
    return Estimate(float(values[0]), Interval(float(low), float(high)))
