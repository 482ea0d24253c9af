"""Leaks of a split: pairs that look alike and are in different splits; and the images that were left out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tasks.dataset.dataset import AnnotatedImage
from tasks.partition.similar import SimilarImages

if TYPE_CHECKING:
    pass


def find_leaks(found: SimilarImages, assigned: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pairs that look alike and are in different parts, the closest first."""
    rows = []
    for first, second, distance in found.pairs:
        a, b = found.images[first], found.images[second]
        one, other = assigned.get(a.file_name), assigned.get(b.file_name)
        if one and other and one != other:
            rows.append({one: a.file_name, other: b.file_name, **_likeness(a, b, distance)})
    return sorted(rows, key=lambda row: (not row["same_content"], row["differing_bits"], str(row)))


def list_dropped(found: SimilarImages, assigned: Mapping[str, str]) -> list[dict[str, Any]]:
    """The images in no part, each with the one that it looks most like: one that stays, if it looks like any itself."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for first, second, distance in found.pairs:
        pair = found.images[first], found.images[second]
        for image, other in (pair, pair[::-1]):
            if image.file_name not in assigned:
                place = {"image": image.file_name, "given_split": image.given_split or "train"}
                like = {"like": other.file_name, "like_in": assigned.get(other.file_name, "dropped")}
                rows.setdefault(image.file_name, []).append({**place, **like, **_likeness(image, other, distance)})

    def closeness(row: Mapping[str, Any]) -> tuple[bool, int, str]:
        return row["like_in"] == "dropped", row["differing_bits"], row["like"]

    return [min(rows[name], key=closeness) for name in sorted(rows)]


def _likeness(a: AnnotatedImage, b: AnnotatedImage, distance: int) -> dict[str, Any]:
    return {"differing_bits": distance, "same_content": bool(a.sha256) and a.sha256 == b.sha256}
