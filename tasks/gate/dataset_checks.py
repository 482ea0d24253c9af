"""What can be wrong with a data set as a whole."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import PurePosixPath

import numpy as np
from rapidfuzz.distance import OSA

from tasks.dataset.boxes import Corners, corners
from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.gate.policy import Policy
from tasks.ground.text import folded

# One letter in so many may be wrong, missing, one too many, or exchanged with its neighbour; and one name is rare.
_LETTERS, _ABBREVIATION, _RARE = 6, 5, 0.1


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
    action = policy.action("class_name_variant")
    problems = [
        Problem(
            "class_name_variant",
            file,
            f"class {name!r} ({counts[name]} boxes) is {first!r} ({counts[first]} boxes) in another spelling",
            "fixed_class" if action == "fix" else "kept",
            *first_example(name, images, file),
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
    return [
        Problem(
            "similar_class_names",
            file,
            f"class {rare!r} has {counts[rare]} boxes, {frequent!r} {counts[frequent]}",
            "kept",
            *first_example(rare, images, file),
        )
        for rare, frequent in _rare_and_frequent(counts)
        if _is_misspelling(_normalised_name(rare), _normalised_name(frequent))
    ]


def first_example(name: str, images: Sequence[AnnotatedImage], root: str) -> tuple[str, Corners | None]:
    """An example of a class: the image of its first box, and the box; images lie below `root`."""
    for image in images:
        if name in image.classes:
            return _path(image, root), corners(image.boxes[image.classes.index(name)])
    return "", None


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


def _is_misspelling(a: str, b: str) -> bool:
    """Whether `a` may be `b` misspelt. Short names rightly differ by a letter: of them only exchanged letters count."""
    limit = max(1, len(b) // _LETTERS)
    return a != b and OSA.distance(a, b) <= limit and (len(b) >= _ABBREVIATION or sorted(a) == sorted(b))


def _rare_and_frequent(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    pairs = (sorted(pair, key=lambda name: counts[name]) for pair in combinations(sorted(counts), 2))
    return [(rare, frequent) for rare, frequent in pairs if counts[rare] <= _RARE * counts[frequent]]


def _objects(image: AnnotatedImage) -> list[tuple[str, tuple[float, ...]]]:
    return sorted(
        (name, tuple(box.tolist())) for name, box in zip(image.classes, np.round(image.boxes, 3), strict=True)
    )


def _normalised_name(name: str) -> str:
    return " ".join(folded(name).replace("_", " ").replace("-", " ").split())
