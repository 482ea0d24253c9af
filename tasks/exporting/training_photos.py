"""What the training photos look like, measured for the file that new photos are compared with."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tasks.artifacts.training_photos import PhotoFacts, photo_facts
from tasks.dataset.dataset import Dataset
from tasks.images.image_file import read_rgb
from tasks.images.light_and_focus import LightAndFocus, light_and_focus
from tasks.images.small_square import Embed

# A batch is compared with them by at most 64 photos: more would make it hardly more certain, and export slower.
MOST_PHOTOS = 500


def measure_photos(splits: Sequence[Dataset], embed: Embed, *, most: int = MOST_PHOTOS) -> PhotoFacts:
    """Of up to `most` photos of all `splits` together, drawn at random, the same for the same images.

    `embed` gives N photos vectors `(N, width)`, and reads them one by one.

    Raises:
        FormatError: a photo cannot be read.
    """
    paths = [data.image_path(image) for data in splits for image in data.images]
    drawn = sorted(np.random.default_rng(0).permutation(len(paths))[:most].tolist())
    light: list[LightAndFocus] = []

    def read() -> Iterator[npt.NDArray[np.uint8]]:
        for place in tqdm(drawn, desc="export: training photos", unit="image"):
            photo = read_rgb(paths[place])
            light.append(light_and_focus(photo))
            yield photo

    embeddings = embed(read())
    return photo_facts(embeddings, light)
