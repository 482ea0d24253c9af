"""How unusual the evidence on a label is among labels of its class.

A class that is hard to see has many right labels that no detection agrees with. What counts against a label is that
detections agree with it less than with others of its class.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Names = npt.NDArray[np.str_]


def ranks_among(rows: _Floats, classes: _Names, columns: Sequence[int]) -> Callable[[_Floats, _Names], _Floats]:
    """A function that adds to `(N, F)` evidence, for each of `columns`, its rank among `rows` of the same class.

    A rank is the log-odds of the share of lower values, with half of the equal ones. Of a class that `rows` do not
    have, it is the rank among all.

    Args:
        rows: `(L, F)` evidence on the labels of a data set.
        classes: `(L,)` their names.
        columns: the places of evidence that is higher the better a label is found.
    """
    everything = np.sort(rows, axis=0)
    of_class = {str(name): np.sort(rows[classes == name], axis=0) for name in np.unique(classes)}

    def with_ranks(evidence: _Floats, names: _Names) -> _Floats:
        ranks = np.zeros((len(evidence), len(columns)))
        for name in np.unique(names):
            own = names == name
            for place, column in enumerate(columns):
                ranks[own, place] = _ranks(of_class.get(str(name), everything)[:, column], evidence[own, column])
        return np.concatenate([evidence, ranks], axis=1)

    return with_ranks


def _ranks(ordered: _Floats, values: _Floats) -> _Floats:
    lower, not_higher = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    share = ((lower + not_higher) / 2 + 1) / (len(ordered) + 2)
    return np.asarray(np.log(share / (1 - share)))
