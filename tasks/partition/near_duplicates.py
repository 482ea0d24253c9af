"""Which images are similar, by their perceptual hashes.

Hashes have 256 bits. As rows of -1 and 1, their distances (how many bits differ) are a product of matrices. It is
computed block by block, so that the distances are never all held in memory. Every pair is compared: twice the images
take four times as long, but up to some 100,000 images decoding them takes far longer.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tasks.artifacts.split import HASH_BITS
from tasks.dataset.dataset import AnnotatedImage

_BLOCK = 2048
# The last number in a file's name, with the text before and after it.
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)


class Pair(NamedTuple):
    """Two images by index in the sequence, `first` < `second`, and how many bits of their hashes differ."""

    first: int
    second: int
    distance: int


def similar_pairs(images: Sequence[AnnotatedImage], max_distance: int) -> list[Pair]:
    """All pairs with equal content, or whose perceptual hashes differ in at most `max_distance` bits (0: content only).

    Images without a hash are similar only where their contents are equal.
    """
    pairs = {(pair.first, pair.second): pair for pair in _copies(images)}
    if max_distance:
        hashed = [i for i, image in enumerate(images) if image.perceptual_hash]
        bits = _packed_bits([images[i].perceptual_hash for i in hashed])
        for a, b, distance in _pairs_within(bits, max_distance):
            pair = Pair(hashed[a], hashed[b], distance)
            pairs.setdefault((pair.first, pair.second), pair)
    return sorted(pairs.values())


def neighbouring_frames(images: Sequence[AnnotatedImage], max_distance: int) -> list[Pair]:
    """Neighbours in runs of numbered files, such as the frames of a video, that differ in at most `max_distance` bits.

    A run is the files of one folder whose names differ in their last number only; neighbours may skip numbers. A
    `max_distance` of 0 gives no pairs.
    """
    runs: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for i, image in enumerate(images):
        match = _NUMBERED.fullmatch(image.file_name)
        if match and image.perceptual_hash and max_distance:
            runs[(match[1], match[3])].append((int(match[2]), i))
    pairs = []
    for run in runs.values():
        ordered = [i for _, i in sorted(run)]
        for a, b in pairwise(ordered):
            signs = _signs(_packed_bits([images[a].perceptual_hash, images[b].perceptual_hash]))
            distance = _distance(signs[0] @ signs[1])
            if distance <= max_distance:
                pairs.append(Pair(min(a, b), max(a, b), distance))
    return sorted(pairs)


def connected_groups(n: int, pairs: Sequence[Pair]) -> list[list[int]]:
    """The indices 0..n-1 in sorted groups, with both images of every pair in one; the groups by their first index."""
    first, second = ([pair.first for pair in pairs], [pair.second for pair in pairs])
    links = coo_matrix((np.ones(len(pairs), dtype=np.int8), (first, second)), shape=(n, n))
    _, labels = connected_components(links, directed=False)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        groups[int(label)].append(i)
    return list(groups.values())


def _copies(images: Sequence[AnnotatedImage]) -> Iterator[Pair]:
    first: dict[str, int] = {}
    for i, image in enumerate(images):
        if image.sha256:
            before = first.setdefault(image.sha256, i)
            if before != i:
                yield Pair(before, i, 0)


def _pairs_within(bits: npt.NDArray[np.uint8], max_distance: int) -> Iterator[tuple[int, int, int]]:
    for start in range(0, len(bits), _BLOCK):
        rows = _signs(bits[start : start + _BLOCK])
        for other in range(start, len(bits), _BLOCK):
            products = rows @ _signs(bits[other : other + _BLOCK]).T
            # Exact in float32: sums of 256 ones.
            for a, b in np.argwhere(products >= HASH_BITS - 2 * max_distance):
                if start + a < other + b:
                    yield int(start + a), int(other + b), _distance(products[a, b])


def _distance(product: np.float32) -> int:
    """How many bits differ between two hashes whose signs have this product."""
    return round((HASH_BITS - float(product)) / 2)


def _packed_bits(hashes: Sequence[str]) -> npt.NDArray[np.uint8]:
    """`(len(hashes), 32)`: eight bits to a byte."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(hashes), HASH_BITS // 8)


def _signs(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
