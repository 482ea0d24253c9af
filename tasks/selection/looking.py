"""Looking at photos: their vectors, and what a detector finds. Each is read once, upright, as `predict` does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tasks.dataset.detections import Detections, Detector
from tasks.images.small_square import Embed
from tasks.prediction.inputs import Picture, Unreadable, read_pictures
from tasks.selection.choosing import Vectors


@dataclass
class Seen:
    """Photos that were looked at, in their order.

    Attributes:
        places: of each among those that were to be looked at.
        vectors: `(N, D)`, of unit length.
        detections: of each, in pixels of the upright photo; none without a detector.
        unreadable: those that could not be read.
    """

    places: list[int]
    vectors: Vectors
    detections: list[Detections] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def look_at(paths: Sequence[Path], what: str, embed: Embed, detector: Detector | None, batch_size: int) -> Seen:
    """The vectors of the photos at `paths`, and what `detector` finds in them; a bar, called `what`, counts them."""
    vectors: list[Vectors] = [embed([])]
    seen = Seen([], vectors[0])
    place_of = {str(path): place for place, path in enumerate(paths)}
    with tqdm(total=len(paths), desc=what, unit="photo") as bar:
        for batch in read_pictures(paths, batch_size, 1):
            pictures = [each for each in batch if isinstance(each, Picture)]
            seen.unreadable += [each for each in batch if isinstance(each, Unreadable)]
            pixels = [np.asarray(picture.image) for picture in pictures]
            if pixels:
                vectors.append(embed(pixels))
                seen.places += [place_of[picture.name] for picture in pictures]
                seen.detections += detector.detect(pixels) if detector else []
            bar.update(len(batch))
    seen.vectors = np.concatenate(vectors)
    return seen
