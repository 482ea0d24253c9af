"""Whether the photos of a run are unlike the training photos: a sample of them is compared at the end of the run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.artifacts.training_photos import PhotoFacts, photo_facts, read_training_photos
from tasks.errors import CheckpointError, PipelineError
from tasks.images.light_and_focus import LightAndFocus, light_and_focus
from tasks.images.small_square import Embed, small_square
from tasks.metrics.unlike import LEAST_PHOTOS, LEAST_RATE, MOST_RATE, Comparison, compare
from tasks.metrics.unlike_texts import difference_text, differences_text
from tasks.prediction.inputs import Picture
from tasks.prediction.writer import encodable

# Embedding one takes 20 to 70 ms on a CPU; more are hardly more certain.
MOST_COMPARED = 64
_NAMED = 3


class _Seen(NamedTuple):
    name: str
    small: npt.NDArray[np.uint8]
    light: LightAndFocus


class Verdict(NamedTuple):
    """How a run's photos compare with the training photos.

    Attributes:
        comparison: the tests.
        names: of the photos that were compared, by the places of `comparison.most_unlike`.
        rate: how many batches like the training photos have an alarm, in 0..1.
    """

    comparison: Comparison
    names: list[str]
    rate: float

    @property
    def is_alarm(self) -> bool:
        """Whether they are surely unlike."""
        return bool(self.comparison.alarms)

    @property
    def most_unlike(self) -> list[str]:
        """Names of the photos furthest from all training photos, at most three; none where there is no alarm."""
        return [self.names[place] for place in self.comparison.most_unlike[:_NAMED]] if self.is_alarm else []

    def text(self) -> str:
        """For people: what differs, and what to do; empty where there is no alarm."""
        if not self.is_alarm:
            return ""
        return (
            f"unlike the training photos: {differences_text(self.comparison)}\n"
            f"  the boxes may be wrong: look at {', '.join(self.most_unlike)}\n"
            "  where they are wrong, label some of these photos and train with them; `python -m tasks suggest FOLDER` "
            "chooses which (docs/unlike-photos.md)\n"
            f"  1 in {round(1 / self.rate):,} batches like the training photos is reported, too"
        )

    def figures(self) -> dict[str, Any]:
        """The same for JSON."""
        differences = [
            {"property": test.property, "p": test.p, "text": difference_text(test, self.comparison.photos)}
            for test in self.comparison.alarms
        ]
        return {"compared": self.comparison.photos, "differences": differences, "most_unlike": self.most_unlike}


class Alarm:
    """Keeps a sample of the photos of a run, all of them equally likely, and compares it."""

    def __init__(
        self, training: PhotoFacts | None, rate: float, load_embedder: Callable[[], Embed], *, seed: int = 0
    ) -> None:
        """Without `training` nothing is compared; `load_embedder` is called where there is something to compare."""
        self._training, self._rate, self._load_embedder = training, rate, load_embedder
        self._random = np.random.default_rng(seed)
        self._sample: list[_Seen] = []
        self._pictures = 0

    def look(self, picture: Picture) -> None:
        """Take a picture into the sample, or not (Vitter, Random sampling with a reservoir, 1985: algorithm R)."""
        if self._training is None:
            return
        self._pictures += 1
        place = len(self._sample)
        if place == MOST_COMPARED:
            place = int(self._random.integers(self._pictures))
            if place >= MOST_COMPARED:
                return
        photo = np.asarray(picture.image)
        seen = _Seen(encodable(picture.name), small_square(photo), light_and_focus(photo))
        self._sample[place : place + 1] = [seen]

    def verdict(self) -> Verdict | None:
        """The comparison; None where there are too few photos to compare.

        Raises:
            CheckpointError: the weights of the embedder are missing or damaged.
        """
        if self._training is None or len(self._sample) < LEAST_PHOTOS:
            return None
        embeddings = self._load_embedder()(seen.small for seen in self._sample)
        batch = photo_facts(embeddings, [seen.light for seen in self._sample])
        comparison = compare(self._training, batch, self._rate)
        return comparison and Verdict(comparison, [seen.name for seen in self._sample], self._rate)


def refuse_bad_rate(rate: float) -> None:
    """Check `--alarm-rate`.

    Raises:
        PipelineError: it is out of range.
    """
    if rate != 0 and not LEAST_RATE <= rate <= MOST_RATE:
        raise PipelineError(
            f"--alarm-rate {rate:g}: a share of false alarms from {LEAST_RATE:g} to {MOST_RATE:g}, or 0 for no alarm"
        )


def alarm_of(folder: Path, rate: float, load_embedder: Callable[[], Embed]) -> Alarm:
    """The alarm of the model in the export folder `folder`; it compares nothing where `rate` is 0.

    Raises:
        FormatError: training_photos.npy is damaged.
    """
    return Alarm(read_training_photos(folder) if rate else None, rate, load_embedder)


def verdict_of(alarm: Alarm) -> tuple[Verdict | None, str]:
    """What `alarm` found, and the text to print: of an alarm, or why nothing could be compared; else empty.

    The run's results are written: weights that are missing do not fail it.
    """
    try:
        verdict = alarm.verdict()
    except CheckpointError as error:
        return None, f"not compared with the training photos: {error}"
    return verdict, verdict.text() if verdict else ""
