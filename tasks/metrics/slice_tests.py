"""Whether a slice of the test images is worse than the rest by more than chance, for as many slices as are looked at.

The statistic is the sum of the influences (`tasks.metrics.influence`) in the slice, over its standard error. Each class
counts by how many boxes it has on the smaller side: the weights of Cochran, Mantel and Haenszel.

- A slice of whole images: which images are in it is permuted. Where light, camera and the like change nothing, every
  choice of as many images is as likely, and the test is exact. The standard error is that of each permutation, so that
  images with many boxes may be in one slice and images with few in another (Janssen, Studentized permutation tests for
  non-i.i.d. hypotheses, 1997).
- A slice of boxes, such as the small ones: boxes of one image share its light and its blur, so single boxes must not be
  permuted. By how much the boxes in the slice and the others differ has a sign for each image; where size changes
  nothing, either sign is as likely, and signs are drawn (Canay, Romano and Shaikh, Randomization tests under an
  approximate symmetry assumption, 2017).

All p values are one-sided: of being worse. tests/metrics/slice_errors.py measures how often a slice is named where
nothing differs.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]

DRAWS = 5000
# Numbers of the draws held at once: 0.8 MB, which fits a core's cache. Twenty times as many take 3 times as long.
_AT_ONCE = 100_000
_NOTHING = 1e-9


def p_of_images(influence: _Floats, boxes: _Floats, chosen: Sequence[_Bools], seed: int = 0) -> list[float]:
    """How likely each choice of images would look so bad by chance.

    Args:
        influence: of each image and class, `(images, K)`.
        boxes: how many there are, `(images, K)`.
        chosen: which images are in each slice, `(images,)`.
        seed: of the permutations, which are the same for all slices.
    """
    images = len(influence)
    first = [float(_statistics(influence, boxes, one[None])[0]) for one in chosen]
    reached = np.ones(len(chosen))
    random = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // max(1, images))
    for start in range(0, DRAWS, rows):
        places = random.permuted(np.tile(np.arange(images), (min(rows, DRAWS - start), 1)), axis=1)
        for i, one in enumerate(chosen):
            reached[i] += (_statistics(influence, boxes, one[places]) <= first[i] + _NOTHING).sum()
    return [float(count) / (DRAWS + 1) for count in reached]


def p_of_boxes(influence: _Floats, boxes: _Floats, inside: _Floats, boxes_inside: _Floats, seed: int = 0) -> float:
    """How likely boxes in a slice would look so bad by chance.

    Args:
        influence: of everything in each image and class, `(images, K)`.
        boxes: how many there are.
        inside: the influence of what is in the slice.
        boxes_inside: how many boxes are.
        seed: of the signs.
    """
    share = boxes_inside.sum(axis=0) / np.maximum(boxes.sum(axis=0), 1)
    apart = inside.sum(axis=1) - influence @ share
    apart = apart[apart != 0]
    random = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // max(1, len(apart)))
    reached = 1
    for start in range(0, DRAWS, rows):
        signs = random.integers(0, 2, (min(rows, DRAWS - start), len(apart)), dtype=np.int8) * 2.0 - 1.0
        reached += int((signs @ apart <= apart.sum() + _NOTHING).sum())
    return reached / (DRAWS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p value corrected for how many there are: at most 5 % of such lists have one below 0.05 by chance alone.

    Holm, A simple sequentially rejective multiple test procedure, 1979; valid however the tests depend on each other.
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for place, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, p_values[i] * (len(p_values) - place)))
        corrected[i] = largest
    return corrected


def _statistics(influence: _Floats, boxes: _Floats, members: _Bools) -> _Floats:
    """The statistic of each choice of images, `(R, images)`."""
    chosen = members.astype(np.float64)
    share = chosen @ boxes / np.maximum(boxes.sum(axis=0), 1)
    apart = chosen * influence.sum(axis=1) - share @ influence.T
    error = np.sqrt((apart**2).sum(axis=1))
    total = apart.sum(axis=1)
    return np.asarray(np.divide(total, error, out=np.zeros_like(total), where=error > _NOTHING))
