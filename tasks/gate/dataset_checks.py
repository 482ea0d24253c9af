"""What can be wrong with a data set as a whole."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from tasks.dataset.boxes import Corners, corners
from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.gate.policy import Policy
from tasks.ground.text import folded

# One letter in so many may be wrong, missing, one too many, or exchanged with its neighbour; and one name is rare.
_LETTERS, _ABBREVIATION, _RARE = 6, 5, 0.1
# So many names are compared with all rare ones at a time: a byte for each pair.
_BLOCK = 256


def unify_spellings(
    images: Sequence[AnnotatedImage], file: str, policy: Policy
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """A problem for each class name that differs from a commoner one only in case, spaces, hyphens or underscores.

    The images come back with the commonest spelling where the policy is to fix.
    """
    counts = Counter(name for image in images for name in image.classes)
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        spellings[_normalised_name(name)].append(name)
    usual = {name: names[0] for names in spellings.values() for name in names}
    examples = first_examples(images, file)
    action = policy.action("class_name_variant")
    problems = [
        Problem(
            "class_name_variant",
            file,
            f"class {name!r} ({counts[name]} boxes) is {first!r} ({counts[first]} boxes) in another spelling",
            "fixed_class" if action == "fix" else "kept",
            *examples[name],
        )
        for name, first in usual.items()
        if name != first
    ]
    if action != "fix" or not problems:
        return list(images), problems
    return [replace(image, classes=tuple(usual[name] for name in image.classes)) for image in images], problems


def find_similar_names(images: Sequence[AnnotatedImage], file: str) -> list[Problem]:
    """A problem for each rare class whose name is nearly that of a frequent one: it may be a misspelling."""
    counts = Counter(name for image in images for name in image.classes)
    examples = first_examples(images, file)
    return [
        Problem(
            "similar_class_names",
            file,
            f"class {rare!r} has {counts[rare]} boxes, {frequent!r} {counts[frequent]}",
            "kept",
            *examples[rare],
        )
        for rare, frequent in sorted(nearest_frequent_names(counts).items())
    ]


def first_examples(images: Sequence[AnnotatedImage], root: str) -> dict[str, tuple[str, Corners | None]]:
    """An example of each class that has boxes: the image of its first box, and the box; images lie below `root`."""
    examples: dict[str, tuple[str, Corners | None]] = {}
    for image in images:
        path = _path(image, root)
        for i, name in enumerate(image.classes):
            if name not in examples:
                examples[name] = (path, corners(image.boxes[i]))
    return examples


def find_differing_copies(images: Sequence[AnnotatedImage], root: str) -> list[Problem]:
    """A problem for each image with the content of one before it and other boxes or classes."""
    first: dict[str, AnnotatedImage] = {}
    problems = []
    for image in images:
        before = first.setdefault(image.sha256, image) if image.sha256 else image
        if _objects(before) != _objects(image):
            detail = (
                f"{len(image.classes)} objects; {before.file_name} has the same content and "
                f"{len(before.classes)} objects, not the same ones"
            )
            problems.append(Problem("copies_annotated_differently", _path(image, root), detail, "kept"))
    return problems


def _path(image: AnnotatedImage, root: str) -> str:
    return (PurePosixPath(root) / image.file_name).as_posix()


def nearest_frequent_names(counts: Mapping[str, int]) -> dict[str, str]:
    """Rare names that may be a frequent one misspelt, each with the nearest, of several the most frequent.

    Short names rightly differ by a letter: of them only exchanged letters count. Many thousands of names are compared
    in blocks by compiled code.
    """
    fewest, most = min(counts.values(), default=0), max(counts.values(), default=0)
    rare = sorted(name for name in counts if counts[name] <= _RARE * most)
    by_limit: defaultdict[int, list[str]] = defaultdict(list)
    for name in sorted(counts):
        if fewest <= _RARE * counts[name]:
            by_limit[max(1, len(_normalised_name(name)) // _LETTERS)].append(name)
    nearest: dict[str, tuple[int, int, str]] = {}
    plain_rare = [_normalised_name(name) for name in rare]
    for limit, frequent in by_limit.items():
        for start in range(0, len(frequent), _BLOCK):
            names = frequent[start : start + _BLOCK]
            plain = [_normalised_name(name) for name in names]
            distances = cdist(plain, plain_rare, scorer=OSA.distance, score_cutoff=limit, dtype=np.uint8)
            for row, column in np.argwhere((distances > 0) & (distances <= limit)).tolist():
                if _may_be_misspelt(plain_rare[column], plain[row], counts[rare[column]], counts[names[row]]):
                    rank = (int(distances[row, column]), -counts[names[row]], names[row])
                    nearest[rare[column]] = min(nearest.get(rare[column], rank), rank)
    return {name: rank[2] for name, rank in nearest.items()}


def _may_be_misspelt(rare: str, frequent: str, rare_count: int, frequent_count: int) -> bool:
    long = len(frequent) >= _ABBREVIATION
    return rare_count <= _RARE * frequent_count and (long or sorted(rare) == sorted(frequent))


def _objects(image: AnnotatedImage) -> list[tuple[str, tuple[float, ...]]]:
    return sorted(
        (name, tuple(box.tolist())) for name, box in zip(image.classes, np.round(image.boxes, 3), strict=True)
    )


def _normalised_name(name: str) -> str:
    # A class called - is not the one called _.
    return " ".join(folded(name).replace("_", " ").replace("-", " ").split()) or name
