"""By how much two arms differ beyond chance, where both have the same test images and the same few seeds.

Two things are due to chance: the images, and the seeds of the runs. The first says how much a mean over these runs
would differ on other images; with three seeds, the second is the larger one.
"""

import math
import statistics
from collections.abc import Sequence

from scipy import stats

from tasks.artifacts.analysis import Interval

_UPPER = 0.975


def over_seeds(differences: Sequence[float]) -> Interval | None:
    """The 95 % interval of the mean of one difference a seed, by Student's t; None for fewer than two."""
    n = len(differences)
    if n < 2:
        return None
    reach = statistics.stdev(differences) / math.sqrt(n) * _quantile(n - 1)
    mean = statistics.fmean(differences)
    return Interval(mean - reach, mean + reach)


def over_images_and_seeds(images: Interval | None, carriers: int, differences: Sequence[float]) -> Interval | None:
    """The 95 % interval of a difference of means over seeds, for other images and other seeds.

    Its variance is that over images, u, and that over seeds, v: s^2 / n of the n differences. Its degrees of freedom
    are those of a sum of variances estimated on their own: (u + v)^2 / (u^2 / (carriers - 1) + v^2 / (n - 1)),
    from Satterthwaite, An Approximate Distribution of Estimates of Variance Components, Biometrics Bulletin, 1946. The
    effect of a seed on single images is in both variances, so the interval is too long rather than too short.

    Args:
        images: the interval over images alone, as `interval_of_difference` gives it.
        carriers: the number of images that it rests on.
        differences: of each seed, on all images.

    Returns:
        None where there is none over images, or for fewer than two seeds.
    """
    n = len(differences)
    if images is None or n < 2:
        return None
    of_images = ((images.high - images.low) / 2 / _quantile(carriers - 1)) ** 2
    of_seeds = statistics.variance(differences) / n
    both = of_images + of_seeds
    freedom = both**2 / (of_images**2 / (carriers - 1) + of_seeds**2 / (n - 1))
    centre, reach = (images.low + images.high) / 2, math.sqrt(both) * _quantile(freedom)
    return Interval(centre - reach, centre + reach)


def _quantile(freedom: float) -> float:
    return float(stats.t.ppf(_UPPER, freedom))
