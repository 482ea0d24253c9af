"""From candidates and labelled photos to suggestions: everything is looked at once, then chosen from."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.artifacts.suggestions import LeftOut, Reason, Suggestion, Suggestions
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections, Detector
from tasks.errors import DataError
from tasks.ground.text import counted, shortened
from tasks.images.small_square import Embed
from tasks.prediction.inputs import Unreadable
from tasks.prediction.writer import encodable
from tasks.selection.candidates import Candidates
from tasks.selection.choosing import Floats, Nearest, choose, nearest
from tasks.selection.looking import Seen, look_at
from tasks.selection.uncertainty import photo_uncertainty


@dataclass(frozen=True)
class Wanted:
    """What is asked for: see `Suggestions`."""

    folder: Path
    model: Path
    model_checksum: str
    count: int
    random_share: float
    seed: int


@dataclass(frozen=True)
class Suggested:
    """The suggestions, and what the page shows of them: paths of the photos and detections in them, by name."""

    suggestions: Suggestions
    paths: dict[str, Path]
    detections: dict[str, Detections]


def suggest_photos(
    wanted: Wanted,
    candidates: Candidates,
    labelled: Dataset,
    detector: Detector,
    embed: Embed,
    *,
    difficulty: Mapping[str, float],
    batch_size: int,
    report: Callable[[str], None],
) -> Suggested:
    """Look at all photos, and choose.

    Args:
        wanted: what is asked for.
        candidates: to choose from, at least one.
        labelled: the photos with boxes.
        detector: whose uncertainty counts.
        embed: gives photos their vectors.
        difficulty: of classes, in 0..1.
        batch_size: how many photos are looked at together.
        report: is given a line where labelled photos cannot be read.

    Raises:
        DataError: no labelled photo, or no candidate, can be read.
    """
    known = look_at([labelled.image_path(image) for image in labelled.images], "labelled", embed, None, batch_size)
    _check_labelled(known, labelled, report)
    seen = look_at(candidates.paths, "unlabelled", embed, detector, batch_size)
    names = [candidates.names[place] for place in seen.places]
    if not names:
        raise DataError(f"{wanted.folder}: no photo can be read, such as {_first(seen)}; mend, convert or remove them")
    uncertainty = np.array([photo_uncertainty(each, difficulty) for each in seen.detections])
    near = nearest(seen.vectors, known.vectors)
    places = _choose(wanted, near, seen, uncertainty, candidates)
    photos = [
        Suggestion(
            rank=rank,
            image=names[place],
            reason=reason,
            uncertainty=round(float(uncertainty[place]), 4),
            distance=round(float(near.distances[place]), 4),
            nearest=encodable(labelled.images[known.places[near.places[place]]].file_name),
        )
        for rank, (place, reason) in enumerate(places.items(), start=1)
    ]
    suggestions = Suggestions(
        folder=encodable(str(wanted.folder)),
        model=encodable(str(wanted.model)),
        model_checksum=wanted.model_checksum,
        count=wanted.count,
        random_share=wanted.random_share,
        seed=wanted.seed,
        labelled=len(known.places),
        candidates=len(names),
        photos=photos,
        left_out=[*candidates.left_out, *_unreadable(seen.unreadable, candidates)],
    )
    paths = {names[place]: candidates.paths[seen.places[place]] for place in places}
    return Suggested(suggestions, paths, {names[place]: seen.detections[place] for place in places})


def _choose(
    wanted: Wanted, near: Nearest, seen: Seen, uncertainty: Floats, candidates: Candidates
) -> dict[int, Reason]:
    """The reason of each chosen photo, by its place among those that were seen, in the order to label them."""
    at = {place: number for number, place in enumerate(seen.places)}
    choices = choose(
        near.distances,
        seen.vectors,
        uncertainty,
        count=wanted.count,
        random_share=wanted.random_share,
        seed=wanted.seed,
        similar=[(at[one], at[other]) for one, other in candidates.similar if one in at and other in at],
    )
    return {choice.place: choice.reason for choice in choices}


def reasons_in_words(suggestions: Suggestions) -> str:
    """`9 unsure, 7 unlike, 4 random`; counts of zero are left out."""
    counts: Counter[Reason] = Counter(photo.reason for photo in suggestions.photos)
    order: tuple[Reason, ...] = ("unsure", "unlike", "random")
    return ", ".join(f"{counts[reason]} {reason}" for reason in order if counts[reason])


def shortfall(suggestions: Suggestions) -> str:
    """Why there are fewer than asked for, in words; empty where there are not."""
    given = len(suggestions.photos)
    if given == suggestions.count:
        return ""
    if given == suggestions.candidates:
        return f"{suggestions.count} were asked for: these are all that there are to choose from"
    rest = suggestions.candidates - given
    near = "is not given, as a near-duplicate" if rest == 1 else "are not given, as near-duplicates"
    return f"{suggestions.count} were asked for: {counted(rest, 'photo')} {near} of these"


def _check_labelled(known: Seen, labelled: Dataset, report: Callable[[str], None]) -> None:
    if not known.unreadable and known.places:
        return
    if not known.places:
        such = f", such as {_first(known)}" if known.unreadable else ""
        raise DataError(
            f"none of the {counted(len(labelled.images), 'labelled photo')} can be read{such}; put them back where "
            "they were, or run `make run` on the photos that there are"
        )
    count = f"{len(known.unreadable)} of {counted(len(labelled.images), 'labelled photo')}"
    report(f"{count} cannot be read, and nothing is compared with them: such as {_first(known)}")


def _first(seen: Seen) -> str:
    return shortened(f"{seen.unreadable[0].name}: {seen.unreadable[0].reason}", 300)


def _unreadable(unreadable: list[Unreadable], candidates: Candidates) -> list[LeftOut]:
    names = {str(path): name for path, name in zip(candidates.paths, candidates.names, strict=True)}
    return [LeftOut(image=names[each.name], why="unreadable", detail=encodable(each.reason)) for each in unreadable]
