"""One network, trained anew on each set of labelled photos, from features that are computed once."""

import hashlib
import time

import numpy as np
import numpy.typing as npt

from studies.selection.rounds import Places, Scores
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import DataError
from tasks.metrics.coco import coco_figures
from tasks.training.repeated import RepeatedTraining


class RepeatedLearner:
    """See `Learner`. The images of `training` are those of the pool, then those of `test`."""

    def __init__(self, training: RepeatedTraining, pool: int, test: Dataset) -> None:
        """Nothing is trained yet; `pool` is the number of photos to label."""
        self._training, self._pool, self._test = training, pool, test
        self._trained_on: bytes = b""
        self._known: dict[bytes, Scores] = {}

    def scores(self, labelled: Places) -> Scores:
        """On the test split; what was scored before is not trained again: all methods of a seed start with the same.

        Raises:
            DataError: the test split has no box.
        """
        key = labelled.tobytes()
        if key not in self._known:
            seconds = self._train(labelled)
            figures = coco_figures(self._test, self._training.detect(self._mask(test=True)))
            if figures.mean_ap is None or figures.ap50 is None:
                raise DataError(f"{self._test.root}: no box in the split test, so nothing can be scored on it")
            self._known[key] = Scores(figures.mean_ap, figures.ap50, seconds)
        return self._known[key]

    def detect(self, labelled: Places, photos: Places) -> list[Detections]:
        """In `photos`, which are in order."""
        self._train(labelled)
        return self._training.detect(self._mask(photos))

    def _train(self, labelled: Places) -> float:
        """Seconds; none where that was the last training."""
        key = labelled.tobytes()
        if key == self._trained_on:
            return 0.0
        # Its name decides which unfinished training is gone on with.
        name = f"{len(labelled)}-{hashlib.sha256(key).hexdigest()[:12]}"
        start = time.monotonic()
        self._training.train(self._mask(labelled), name)
        self._training.forget(name)
        self._trained_on = key
        return time.monotonic() - start

    def _mask(self, photos: Places | None = None, *, test: bool = False) -> npt.NDArray[np.bool_]:
        mask = np.zeros(self._pool + len(self._test.images), bool)
        mask[self._pool :] = test
        if photos is not None:
            mask[photos] = True
        return mask
