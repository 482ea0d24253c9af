"""From evidence to the probability of a mistake: logistic regression on the data set's own labels and planted mistakes.

How sure a detector is when it is right differs from data set to data set and from class to class. Labels as they are,
of which most are right, and the same labels with a planted mistake show what the evidence looks like in either case.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

_Floats = npt.NDArray[np.float64]

# Pulls weights to 0, where few examples would make them large.
_RIDGE = 0.25
# From here on probabilities approach 1 and keep their order.
_LINEAR_TO = 0.9


def fit_probability(mistakes: _Floats, others: _Floats, rate: float) -> Callable[[_Floats], _Floats]:
    """A function that gives `(N,)` probabilities in 0..1 for `(N, F)` evidence.

    `others` hold mistakes too, at the assumed rate. So the probability is `rate` times the ratio of densities of
    planted mistakes and of all labels (Elkan and Noto 2008, "Learning Classifiers from Only Positive and Unlabeled
    Data"), and not what the regression gives, which takes all of `others` for right.

    Args:
        mistakes: `(M, F)` evidence of planted mistakes.
        others: `(O, F)` evidence of labels as they are.
        rate: the share of mistakes that is assumed, in 0..1: it moves all probabilities and keeps their order.
    """
    if not len(mistakes) or not len(others):
        return lambda evidence: np.zeros(len(evidence))
    rows = np.concatenate([mistakes, others])
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    design = _with_constant((rows - middle) / spread)
    target = np.concatenate([np.ones(len(mistakes)), np.zeros(len(others))])
    weight = np.concatenate(
        [np.full(len(mistakes), rate / len(mistakes)), np.full(len(others), (1.0 - rate) / len(others))]
    ) * len(others)

    def loss(beta: _Floats) -> tuple[float, _Floats]:
        margin = design @ beta
        value = float(weight @ (np.logaddexp(0.0, margin) - target * margin)) + _RIDGE * float(beta[1:] @ beta[1:])
        gradient = design.T @ (weight * (_sigmoid(margin) - target))
        gradient[1:] += 2 * _RIDGE * beta[1:]
        return value, gradient

    beta = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return lambda evidence: _below_1(
        (1.0 - rate) * np.exp(np.clip(_with_constant((evidence - middle) / spread) @ beta, -30.0, 30.0))
    )


def _below_1(ratios: _Floats) -> _Floats:
    """`ratios` up to 0.9 as they are; above, they approach 1 in their order."""
    beyond = np.maximum(ratios - _LINEAR_TO, 0.0) / (1.0 - _LINEAR_TO)
    return np.asarray(np.minimum(ratios, _LINEAR_TO) + (1.0 - _LINEAR_TO) * beyond / (1.0 + beyond))


def _with_constant(rows: _Floats) -> _Floats:
    return np.concatenate([np.ones((len(rows), 1)), rows], axis=1)


def _sigmoid(margin: _Floats) -> _Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(margin, -50.0, 50.0))))
