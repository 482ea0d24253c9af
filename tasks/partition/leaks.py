"""Pairs of similar images in different splits, and the images that were dropped so that there are none."""

from collections.abc import Mapping

from tasks.artifacts.split import DroppedImage, Leak
from tasks.dataset.dataset import AnnotatedImage
from tasks.partition.similar import SimilarImages


def find_leaks(similar: SimilarImages, assigned: Mapping[str, str]) -> list[Leak]:
    """Pairs of similar images in different splits, the most similar first; `assigned` is the split by file name."""
    leaks = []
    for first, second, distance in similar.pairs:
        a, b = similar.images[first], similar.images[second]
        split_a, split_b = assigned.get(a.file_name), assigned.get(b.file_name)
        if split_a and split_b and split_a != split_b:
            names = {split_a: a.file_name, split_b: b.file_name}
            leaks.append(Leak(differing_bits=distance, same_content=_same_content(a, b), **names))

    def order(leak: Leak) -> tuple[bool, int, list[tuple[str, str]]]:
        return not leak.same_content, leak.differing_bits, sorted(leak.files, key=lambda file: file[1])

    return sorted(leaks, key=order)


def find_dropped(similar: SimilarImages, assigned: Mapping[str, str]) -> list[DroppedImage]:
    """The images in no split, each with the image that it is most similar to, one in a split if there is such."""
    candidates: dict[str, list[DroppedImage]] = {}
    for first, second, distance in similar.pairs:
        pair = similar.images[first], similar.images[second]
        for image, other in (pair, pair[::-1]):
            if image.file_name not in assigned:
                candidates.setdefault(image.file_name, []).append(
                    DroppedImage(
                        image=image.file_name,
                        given_split=image.given_split or "train",
                        like=other.file_name,
                        like_in=assigned.get(other.file_name, "dropped"),
                        differing_bits=distance,
                        same_content=_same_content(image, other),
                    )
                )

    def order(row: DroppedImage) -> tuple[bool, int, str]:
        return row.like_in == "dropped", row.differing_bits, row.like

    return [min(candidates[name], key=order) for name in sorted(candidates)]


def _same_content(a: AnnotatedImage, b: AnnotatedImage) -> bool:
    return bool(a.sha256) and a.sha256 == b.sha256
