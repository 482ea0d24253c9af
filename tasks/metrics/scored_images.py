"""What the choice of the scored images does to the figures of several trainings, and how many of them show a gain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from tasks.metrics.analysis import carriers_of
from tasks.metrics.coco import figures_of
from tasks.metrics.intervals import deviations, excesses, halves, resampled_figures
from tasks.metrics.matching import Matches

# A gain is seen where its 95 % interval is above 0, and images are counted so that this happens in 4 of 5 test sets.
POWER = 0.8
_REACH = float(stats.norm.ppf(0.975) + stats.norm.ppf(POWER))

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoredImages:
    """How much the mAP of trainings on the same images owes to the images being these.

    Attributes:
        images: how many were scored.
        deviations: `(R, S, K)` how far each training's mAP may be from that on all such images: one row for each of
            many halves of the images, the same half for all.
        excess: `(S, K)` how much too high each is, as average precision on few images is.
        carriers: how many images show the class that the fewest show.
    """

    images: int
    deviations: _Floats
    excess: _Floats
    carriers: int

    def noise(self, seed: int = 0) -> _Floats:
        """`(R, S)` where the mean of each size may be on all such images, less what it is on these.

        Longer than the deviations where few images leave their spread uncertain.
        """
        freedom = self.carriers - 1
        rows = self.deviations.mean(axis=2)
        longer = np.sqrt(freedom / np.random.default_rng(seed).chisquare(freedom, len(rows)))
        return np.asarray(rows * longer[:, None] - self.excess.mean(axis=1))

    def images_for(self, gain: float) -> int | None:
        """How many images it takes to see that a training is better by `gain` mAP than another; None where unknown.

        The spread is that of the paired differences between the two largest sizes, of each seed, and falls with the
        root of the number of images. Nothing is known where no training differs from another.
        """
        difference = self.deviations[:, -1] - self.deviations[:, -2]
        error = float(np.sqrt(np.mean(difference**2)))
        return None if error == 0 else max(1, round(self.images * (_REACH * error / gain) ** 2))


def scored_images(of_sizes: Sequence[Sequence[Matches]]) -> ScoredImages:
    """From the matches of K trainings of each of S sizes, at least two, all on the same images.

    At least 5 of the images show each class: with fewer the spread over images is not known.
    """
    first = of_sizes[0][0]
    drawn = halves(first.images)
    on_halves = np.stack(
        [np.stack([resampled_figures(each, drawn)["mAP"] for each in own], axis=1) for own in of_sizes], axis=1
    )
    measured = np.isfinite(on_halves).all(axis=(1, 2))
    on_halves, drawn = on_halves[measured], drawn[measured]
    whole = np.array([[figures_of(each).mean_ap or 0.0 for each in own] for own in of_sizes])
    return ScoredImages(
        first.images, deviations(on_halves, drawn), excesses(on_halves - whole, drawn), carriers_of(first)["mAP"]
    )
