"""The photos of a folder that may be chosen: those readable, and no near-duplicates of labelled ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.suggestions import LeftOut, WhyLeftOut
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import DataError, FormatError
from tasks.gate.image_checks import inspect_images
from tasks.ground.files import sha256_of
from tasks.images.image_finder import lexically_absolute
from tasks.partition.similar import find_similar
from tasks.prediction.inputs import find_inputs, is_video
from tasks.prediction.writer import encodable

if TYPE_CHECKING:
    from tasks.params import SplitParams


@dataclass(frozen=True)
class Candidates:
    """What was found in a folder.

    Attributes:
        names: of the photos to choose from, relative to the folder, with forward slashes.
        paths: of the same, absolute.
        similar: places of pairs among them that are near-duplicates, or neighbours among frames.
        left_out: the others.
    """

    names: list[str]
    paths: list[Path]
    similar: list[tuple[int, int]]
    left_out: list[LeftOut]


def find_candidates(
    folder: Path, out: Path, labelled: Dataset, split: "SplitParams", max_megapixels: float
) -> Candidates:
    """The photos in `folder` and its subfolders that may be chosen; a bar counts those that are decoded.

    Args:
        folder: with the photos.
        out: where results go, which may not lie in `folder`.
        labelled: the photos with boxes, with their hashes.
        split: when two photos are similar.
        max_megapixels: what has more cannot be read.

    Raises:
        DataError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one with the photos that have no boxes yet")
    root = lexically_absolute(folder)
    files = [lexically_absolute(path) for path in find_inputs([folder], out)]
    left_out = [_left_out(path, root, "video") for path in files if is_video(path)]
    # Neither suggest.json nor an address can tell two such names apart.
    unnamed = {path for path in files if _name(path, root) != path.relative_to(root).as_posix() and not is_video(path)}
    left_out += [_left_out(path, root, "unreadable", "its name is not UTF-8: rename it") for path in sorted(unnamed)]
    photos: list[AnnotatedImage] = []
    unread = [_photo(path) for path in files if not is_video(path) and path not in unnamed]
    facts = inspect_images(Dataset(root, (), tuple(unread)), max_megapixels) if unread else []
    for photo, fact in zip(unread, facts, strict=True):
        path = Path(photo.file_name)
        if isinstance(fact, FormatError):
            left_out.append(_left_out(path, root, "unreadable", str(fact).removeprefix(f"{path}: ")))
        else:
            photos.append(replace(photo, perceptual_hash=fact.perceptual_hash, sha256=sha256_of(path)))
    known = {str(lexically_absolute(labelled.image_path(image))): image for image in labelled.images}
    copies = _copies(photos, known)
    rest = [photo for photo in photos if photo.file_name not in copies]
    near, among = _similar(rest, [replace(image, file_name=name) for name, image in known.items()], split)
    left_out += [_left_out(Path(name), root, "labelled", image.file_name) for name, image in copies.items()]
    left_out += [_left_out(Path(name), root, "like_labelled", known[of].file_name) for name, of in near.items()]
    free = [Path(photo.file_name) for photo in rest if photo.file_name not in near]
    place = {str(path): i for i, path in enumerate(free)}
    similar = [(place[one], place[other]) for one, other in among if one in place and other in place]
    return Candidates([_name(path, root) for path in free], free, similar, left_out)


def _photo(path: Path) -> AnnotatedImage:
    return AnnotatedImage(str(path), 0, 0, as_boxes([]), (), flags(0), flags(0))


def _copies(photos: Sequence[AnnotatedImage], known: Mapping[str, AnnotatedImage]) -> dict[str, AnnotatedImage]:
    """The labelled image of each photo that is its file, or a copy of it."""
    by_content = {image.sha256: image for image in known.values() if image.sha256}
    found = {photo.file_name: known.get(photo.file_name) or by_content.get(photo.sha256) for photo in photos}
    return {name: image for name, image in found.items() if image is not None}


def _similar(
    photos: Sequence[AnnotatedImage], known: Sequence[AnnotatedImage], split: "SplitParams"
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """By names of files: of each photo that is similar to labelled ones the most similar, and the pairs of photos."""
    similar = find_similar([*known, *photos], split)
    names = {image.file_name for image in known}
    near: dict[str, str] = {}
    among: list[tuple[str, str]] = []
    for pair in sorted(similar.pairs, key=lambda pair: pair.distance):
        one, other = similar.images[pair.first].file_name, similar.images[pair.second].file_name
        if one in names and other not in names:
            near.setdefault(other, one)
        elif other in names and one not in names:
            near.setdefault(one, other)
        elif one not in names:
            among.append((one, other))
    return near, among


def _left_out(path: Path, root: Path, why: WhyLeftOut, detail: str = "") -> LeftOut:
    return LeftOut(image=_name(path, root), why=why, detail=encodable(detail))


def _name(path: Path, root: Path) -> str:
    return encodable(path.relative_to(root).as_posix())
