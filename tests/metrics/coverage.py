"""How often an interval holds the truth: `python -m tests.metrics.coverage --images 60 --sets 1000`. Minutes."""

import argparse
from collections import defaultdict

import numpy as np
from tqdm import tqdm

from tasks.metrics.analysis import intervals_of
from tasks.metrics.differences import differences
from tasks.metrics.matching import match_detections
from tests.metrics.simulated import TRUTH, draw, draw_for


def coverage(images: int, sets: int, seed: int = 0) -> dict[str, float]:
    """Of `sets` test sets of `images` images, the share whose 95 % interval holds the true figure, by figure."""
    held = defaultdict(list)
    for number in tqdm(range(sets), unit="set"):
        found = intervals_of(match_detections(*draw(np.random.default_rng((seed, number)), images)))
        for name, true in TRUTH.items():
            own = found[name]
            if own is not None:
                held[name].append(own.low <= true <= own.high)
    return {name: float(np.mean(own)) for name, own in held.items()}


def coverage_of_differences(images: int, sets: int, seed: int = 0) -> dict[str, float]:
    """The share of test sets whose interval holds 0 for two detectors that are equally good, by figure."""
    held = defaultdict(list)
    for number in tqdm(range(sets), unit="set"):
        truth, (one, other) = draw_for(np.random.default_rng((seed, number)), images, [1.0, 1.0])
        for difference in differences(match_detections(truth, one), match_detections(truth, other)):
            if difference.interval is not None:
                held[difference.name].append(difference.interval.low <= 0 <= difference.interval.high)
    return {name: float(np.mean(own)) for name, own in held.items()}


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(prog="python -m tests.metrics.coverage", description=__doc__)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--sets", type=int, default=1000)
    args = parser.parse_args()
    for title, shares in (
        ("figures", coverage(args.images, args.sets)),
        ("differences of two equally good detectors", coverage_of_differences(args.images, args.sets)),
    ):
        print(f"{title}: {args.sets} test sets of {args.images} images; the 95 % interval holds the truth in")
        for name, share in shares.items():
            print(f"  {name:12}{share:7.1%}")


if __name__ == "__main__":
    main()
