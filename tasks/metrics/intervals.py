"""How far a figure could be off: what it is on many random halves of the test images.

A test set is a draw of images; another draw would have given other figures. How much others shows in halves of the one
there is: between a half and the whole lies as much chance as between the whole and the truth (Politis, Romano & Wolf,
Subsampling, 1999). Images are drawn, not boxes: boxes of one image share its light, its blur and its annotator.

Halves, and not the bootstrap's draws with replacement, for two reasons. An image that is drawn twice has detections of
the same score twice, which no test set has. And average precision is too high on few images, since COCO takes at each
recall the best precision from there on; how much higher it is on a half says how much too high it is on the whole.
tests/metrics/coverage.py measures how often the intervals hold the truth.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from tasks.artifacts.analysis import Interval, class_interval_name
from tasks.metrics.average_precision import RECALLS
from tasks.metrics.matching import IOU_50, IOU_75, IOUS, Matches

PAIRS = 300
# With fewer images the spread itself is not known.
LEAST_IMAGES = 5
# The excess of average precision falls with the number of images to this power: seen in simulations, from 15 to 60.
_EXCESS_POWER = 0.5
_LEVEL = 0.95
# Numbers of a resample's detections held at once; a few arrays have ten times as many, one for each IoU: 40 MB each.
_AT_ONCE = 500_000
# Sums of the same numbers in another order differ by less.
_NOTHING = 1e-9
_NEAREST = 1e-3

_Floats = npt.NDArray[np.float64]


def halves(images: int, pairs: int = PAIRS, seed: int = 0) -> _Floats:
    """Which images are in each half, `(2 * pairs, images)` of 0 and 1; two rows that follow each other complete it."""
    random = np.random.default_rng(seed)
    rows = np.zeros((2 * pairs, images))
    for pair in range(pairs):
        rows[2 * pair, random.permutation(images)[: images // 2]] = 1
        rows[2 * pair + 1] = 1 - rows[2 * pair]
    return rows


def resampled_figures(matches: Matches, weights: _Floats) -> dict[str, _Floats]:
    """`mAP`, `AP50`, `AP75`, `AR100` and `AP of CLASS` in each resample, `(R,)`; NaN where no box is left to find.

    Args:
        matches: of the whole test set.
        weights: how often each image comes in each, `(R, images)`.
    """
    classes = range(len(matches.classes))
    precision = np.full((len(weights), len(classes), len(IOUS)), np.nan)
    found = np.full_like(precision, np.nan)
    for k in classes:
        precision[:, k], found[:, k] = _of_class(matches, k, weights)
    with np.errstate(invalid="ignore"):
        return {
            "mAP": _mean(precision, (1, 2)),
            "AP50": _mean(precision[..., IOU_50], 1),
            "AP75": _mean(precision[..., IOU_75], 1),
            "AR100": _mean(found, (1, 2)),
            **{class_interval_name(name): _mean(precision[:, k], 1) for k, name in enumerate(matches.classes)},
        }


def interval(value: float, on_halves: _Floats, drawn: _Floats, carriers: int) -> Interval | None:
    """The 95 % interval of a figure in 0..1.

    Args:
        value: the figure on all images.
        on_halves: on each half, `(R,)`; NaN where it could not be measured.
        drawn: the halves, from `halves`.
        carriers: how many images it rests on: of a class those that have it, of a mean over classes those that have the
            rarest.

    Returns:
        None where fewer than 5 images carry it, or where it is the same on every half, which says nothing of its
        spread.
    """
    found = _centre(value, on_halves, drawn, carriers)
    if found is None:
        return None
    centre, reach = found
    # On the scale of log odds an interval cannot leave 0..1, and is longer on the side away from the end.
    inside = min(max(centre, _NEAREST), 1 - _NEAREST)
    odds, slope = np.log(inside / (1 - inside)), 1 / (inside * (1 - inside))
    low, high = (1 / (1 + np.exp(-(odds + sign * reach * slope))) for sign in (-1, 1))
    return Interval(float(low), float(high))


def interval_of_difference(value: float, on_halves: _Floats, drawn: _Floats, carriers: int) -> Interval | None:
    """The 95 % interval of a difference of two figures on the same images; arguments as for `interval`.

    Returns:
        None where fewer than 5 images carry it, or nothing differs. The difference itself where every half has the
        same: one detector finds nothing at all and the other everything.
    """
    found = _centre(value, on_halves, drawn, carriers)
    if found is not None:
        return Interval(found[0] - found[1], found[0] + found[1])
    known = carriers >= LEAST_IMAGES and bool(np.isfinite(on_halves).any())
    return Interval(value, value) if known and abs(value) > _NOTHING else None


def deviations(on_halves: _Floats, drawn: _Floats) -> _Floats:
    """How far a figure on all images may be from the truth, one row for each half: their spread is its standard error.

    Args:
        on_halves: on each half, `(R,)`, or `(R, S)` for S detectors on the same halves; all finite.
        drawn: the halves, `(R, images)`.
    """
    share = drawn.mean(axis=1).reshape(-1, *[1] * (on_halves.ndim - 1))
    # A half of m out of n images is sqrt((n - m) / m) times as far from the whole as the whole from the truth.
    return np.asarray((on_halves - on_halves.mean(axis=0)) * np.sqrt(share / (1 - share)))


def excesses(apart: _Floats, drawn: _Floats) -> _Floats:
    """How much too high an average precision on all images is, for being on so few.

    Args:
        apart: how much higher it is on each half, `(R,)`, or `(R, ...)` of several detectors; all finite.
        drawn: the halves, `(R, images)`.
    """
    share = drawn.mean(axis=1).reshape(-1, *[1] * (apart.ndim - 1))
    return np.asarray(np.mean(apart / (share**-_EXCESS_POWER - 1), axis=0))


def _centre(value: float, on_halves: _Floats, drawn: _Floats, carriers: int) -> tuple[float, float] | None:
    """The figure without its excess, and how far to either side the truth may lie."""
    measured = np.isfinite(on_halves)
    if carriers < LEAST_IMAGES or not measured.any():
        return None
    apart, drawn = on_halves[measured] - value, drawn[measured]
    spread = float(np.sqrt(np.mean(deviations(apart, drawn) ** 2)))
    if spread < _NOTHING:
        return None
    return value - float(excesses(apart, drawn)), spread * float(stats.t.ppf((1 + _LEVEL) / 2, carriers - 1))


def _of_class(matches: Matches, k: int, weights: _Floats) -> tuple[_Floats, _Floats]:
    """Average precision and recall of class `k`, each `(R, T)`."""
    own = matches.class_ == k
    image = matches.image[own]
    counted = ~matches.ignored[0][:, own]
    true, false = (matches.matched[0][:, own] & counted), (~matches.matched[0][:, own] & counted)
    boxes = (matches.box_class == k) & ~matches.box_ignored[0]
    number = weights @ np.bincount(matches.box_image[boxes], minlength=matches.images)
    precision, found = (np.full((len(weights), len(IOUS)), np.nan) for _ in range(2))
    # Precision counts only where something was found, at any IoU: up to there detections need not be told apart.
    ends = np.flatnonzero(true.any(axis=0))
    last = ends[-1] + 1 if len(ends) else 0
    starts = np.append(0, ends[:-1] + 1)
    rows = max(1, _AT_ONCE // max(1, last))
    for start in range(0, len(weights), rows):
        part = slice(start, start + rows)
        # An image that was drawn twice has its detections twice.
        each = weights[part][:, image[:last]]
        hits, misses = (np.zeros((len(each), len(IOUS), len(ends))) for _ in range(2))
        for t in range(len(IOUS) if last else 0):
            for sums, kind in ((hits, true), (misses, false)):
                sums[:, t] = np.cumsum(np.add.reduceat(each * kind[t, :last], starts, axis=1), axis=1)
        precision[part], found[part] = _averages(hits, misses, number[part])
    return precision, found


def _averages(hits: _Floats, misses: _Floats, number: _Floats) -> tuple[_Floats, _Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        recalls = hits / number[:, None, None]
        exact = hits / (hits + misses + np.spacing(1))
    best = np.maximum.accumulate(exact[..., ::-1], axis=2)[..., ::-1]
    padded = np.concatenate([best, np.zeros((*best.shape[:2], 1))], axis=2)
    precision, found = np.full(hits.shape[:2], np.nan), np.full(hits.shape[:2], np.nan)
    for r in np.flatnonzero(number > 0):
        for t in range(hits.shape[1]):
            precision[r, t] = padded[r, t, np.searchsorted(recalls[r, t], RECALLS, side="left")].mean()
        found[r] = recalls[r, :, -1] if recalls.shape[2] else 0.0
    return precision, found


def _mean(values: _Floats, axis: int | Sequence[int]) -> _Floats:
    """The mean of what was measured."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    measured = np.isfinite(values)
    count = measured.sum(axis=axes)
    total = np.where(measured, values, 0.0).sum(axis=axes)
    mean: _Floats = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return mean
