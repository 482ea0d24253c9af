"""How often a slice is named where nothing differs: `python -m tests.metrics.slice_errors --sets 200`. Half a minute.

And how often a difference that is there is found: `--harm`.
"""

import argparse
from collections import Counter

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tasks.artifacts.slices import LEVEL
from tasks.metrics.matching import match_detections
from tasks.metrics.slices import p_values, slices_to_test
from tests.metrics.slice_world import Harm, Scene, draw_world, no_harm


def dark_is_harder(scene: Scene) -> npt.NDArray[np.float64]:
    """In dark images half of what would be found is not."""
    return np.full(len(scene.boxes), 0.5 if scene.brightness < 90 else 1.0)


def small_is_harder(scene: Scene) -> npt.NDArray[np.float64]:
    """Of small boxes half of what would be found is not."""
    return np.where(scene.sides < 0.08, 0.5, 1.0)


def south_is_harder(scene: Scene) -> npt.NDArray[np.float64]:
    """On one camera half of what would be found is not."""
    return np.full(len(scene.boxes), 0.5 if scene.camera == "south" else 1.0)


HARMS = {"none": no_harm, "dark": dark_is_harder, "small": small_is_harder, "south": south_is_harder}


def named_slices(images: int, sets: int, harm: Harm = no_harm, seed: int = 0) -> list[list[str]]:
    """The slices that are named in each of `sets` test sets of `images` images, as `property: title`."""
    named = []
    for number in tqdm(range(sets), unit="set"):
        truth, found, traits = draw_world(np.random.default_rng((seed, number)), images, harm)
        matches = match_detections(truth, found)
        slices, _ = slices_to_test(truth, found, matches, traits)
        corrected = p_values(matches, slices)
        named.append(
            [f"{each.divided_by}: {each.title}" for each, p in zip(slices, corrected, strict=True) if p <= LEVEL]
        )
    return named


def main() -> None:
    """Print how many sets name a slice, and which."""
    parser = argparse.ArgumentParser(prog="python -m tests.metrics.slice_errors", description=__doc__)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--harm", choices=HARMS, default="none")
    args = parser.parse_args()
    named = named_slices(args.images, args.sets, HARMS[args.harm], args.seed)
    print(f"{sum(map(bool, named))} of {args.sets} test sets of {args.images} images name a slice")
    for title, count in Counter(title for titles in named for title in titles).most_common():
        print(f"  {title:45}{count:5}")


if __name__ == "__main__":
    main()
