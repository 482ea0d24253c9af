"""Suspects as they are written and shown: with their image's name and content, and a sentence each."""

from collections import defaultdict
from collections.abc import Iterable

from tasks.artifacts.review import FoundSuspect
from tasks.dataset.boxes import Corners
from tasks.dataset.dataset import Dataset
from tasks.review.suspects import Suspect


def found_suspects(dataset: Dataset, suspects: Iterable[Suspect], least_score: float) -> list[FoundSuspect]:
    """The suspects with at least `least_score`, in their order."""
    return [
        FoundSuspect(
            image=dataset.images[each.image].file_name,
            sha256=dataset.images[each.image].sha256,
            kind=each.kind,
            class_=each.class_,
            box=_rounded(each.box),
            score=round(each.score, 4),
            seen_class=each.seen_class,
            seen_box=_rounded(each.seen_box) if each.seen_box else None,
            sentence=sentence(each),
        )
        for each in suspects
        if each.score >= least_score
    ]


def by_image(suspects: Iterable[FoundSuspect]) -> dict[str, list[FoundSuspect]]:
    """The suspects of each image by its file name, both in their order."""
    groups: defaultdict[str, list[FoundSuspect]] = defaultdict(list)
    for suspect in suspects:
        groups[suspect.image].append(suspect)
    return dict(groups)


def sentence(suspect: Suspect) -> str:
    """What is probably wrong, in words."""
    name, seen = suspect.class_, suspect.seen_class
    if suspect.kind == "missing_box":
        return f"no label, looks like {name}"
    if suspect.kind == "wrong_class":
        return f"labelled {name}, looks like {seen}" if seen else f"labelled {name}, does not look like it"
    if suspect.kind == "misplaced_box":
        return f"labelled {name}, but its box " + ("is off" if seen else "does not fit")
    if suspect.kind == "box_on_nothing":
        return f"labelled {name}, looks like nothing"
    return f"labelled {name} twice"


def _rounded(box: Corners) -> Corners:
    xmin, ymin, xmax, ymax = (round(value, 2) for value in box)
    return xmin, ymin, xmax, ymax
