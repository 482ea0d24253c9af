"""How unsure a detector is of a photo: the sum, over its detections, of the entropy of each, weighted by class.

This is the difficulty-calibrated uncertainty of PPAL (Yang, Huang and Crowley, Plug and Play Active Learning for Object
Detection, CVPR 2024, arXiv:2211.11612, section 3.1), with the constants of its authors' code. It needs nothing but
scores, so it serves every exported model. The difficulty of a class is 1 - AP where PPAL follows the training's losses:
an exported model has none.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tasks.artifacts.evaluation import ClassFigures
from tasks.dataset.detections import Detections

# A detector gives a hundred boxes whatever it sees. The entropy of a hundred scores of 0.02 is that of 14 boxes at 0.5.
LEAST_SCORE = 0.05
# PPAL: the hardest class counts 1 + _MOST_EXTRA; _BEND: how soon the weight rises with the difficulty.
_MOST_EXTRA, _BEND = 0.2, 0.3


def photo_uncertainty(detections: Detections, difficulty: Mapping[str, float]) -> float:
    """The uncertainty of one photo, from 0: in bits, so that a box at a score of 0.5 of an easy class counts 1.

    Args:
        detections: of the photo, with their low scores; without any the uncertainty is 0.
        difficulty: of classes, in 0..1; a class that it lacks counts as easy.
    """
    unsure = detections.above(LEAST_SCORE)
    weights = np.array([_weight(difficulty.get(name, 0.0)) for name in unsure.classes])
    return float((weights * _entropy(unsure.scores)).sum())


def class_difficulty(figures: Mapping[str, ClassFigures]) -> dict[str, float]:
    """1 - AP for each class whose AP was measured."""
    return {name: 1.0 - each.ap for name, each in figures.items() if each.ap is not None}


def _entropy(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The binary entropy of each score, in bits."""
    inside = np.clip(scores, 1e-12, 1.0 - 1e-12)
    return -(inside * np.log2(inside) + (1.0 - inside) * np.log2(1.0 - inside))


def _weight(difficulty: float) -> float:
    """PPAL's weight of a class: 1 for an easy class, 1 + `_MOST_EXTRA` for the hardest."""
    return 1.0 + _BEND * _MOST_EXTRA * math.log(1.0 + (math.exp(1.0 / _BEND) - 1.0) * difficulty)
