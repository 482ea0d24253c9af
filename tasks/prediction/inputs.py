"""Pictures to predict on: images, folders, patterns, and the frames of videos, batch by batch."""

import glob
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tasks.dataset.detections import MOST_PIXELS, batches
from tasks.errors import DataError, FormatError
from tasks.images.image_file import FORMAT_OF_SUFFIX, open_image, orientation_of, stored_size
from tasks.images.image_finder import lexically_absolute
from tasks.images.rgb import as_rgb
from tasks.images.video import FORMAT_OF_VIDEO, frames, number_of_frames

# A file that claims more pixels than any camera gives is an attack on memory.
_MAX_MEGAPIXELS = 250
_PATTERN = "*?["
# What brings an image upright, by its EXIF orientation (CIPA DC-008, table of tag Orientation).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_NUMBER = re.compile(r"\d+")
# More digits than a file's name can have.
_DIGITS = 256


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        name: the file's path, of a frame with `#` and its number in the video, from 0.
        stem: what files about it are called, before they are made unique.
        image: upright, RGB.
        orientation: the EXIF orientation that it was turned by; 1 of a picture that is stored upright, and of frames.
        folder: where the file is below the folder that all images of the run are in; empty of frames.
        is_frame: whether it is a frame of a video, and no file of its own.
    """

    name: str
    stem: str
    image: Image.Image
    orientation: int = 1
    folder: Path = Path()
    is_frame: bool = False


@dataclass(frozen=True)
class Unreadable:
    """A file, or the rest of a video, that could not be read, and why."""

    name: str
    reason: str


def find_inputs(inputs: Sequence[Path], out: Path) -> list[Path]:
    """The images and videos among `inputs`, below its folders and matching its patterns, each once.

    A file named on its own is taken whatever its suffix; in folders the suffix decides, in either case. What does not
    exist and has a `*`, `?` or `[` in it is a pattern; `**` stands for any folders. What is in folders and
    matches patterns is sorted, 2.jpg before 10.jpg.

    Raises:
        DataError: an input does not exist, nothing was found, or `out` and an input lie in each other, so that drawn
            pictures would overwrite images or be read as images the next time.
    """
    found: dict[Path, Path] = {}
    for entry in inputs:
        matching = [entry] if entry.exists() else _matching(entry)
        if not matching:
            raise DataError(f"{entry}: no such file or folder; name images, videos, or folders with them")
        for path in matching:
            if out.resolve().is_relative_to(path.resolve()) or path.resolve().is_relative_to(out.resolve()):
                raise DataError(
                    f"--out {out} and the input {path} lie in each other; choose a folder beside it with --out"
                )
            for file in _files_below(path) if path.is_dir() else [path]:
                found.setdefault(file.resolve(), file)
    if not found:
        raise DataError(
            f"{', '.join(map(str, inputs))}: no images found; "
            f"looked for files ending in {', '.join(sorted([*FORMAT_OF_SUFFIX, *FORMAT_OF_VIDEO]))}"
        )
    return list(found.values())


def is_video(path: Path) -> bool:
    """Whether the suffix is a video's."""
    return path.suffix.lower() in FORMAT_OF_VIDEO


def count_pictures(paths: Sequence[Path], every: int) -> int:
    """How many pictures `read_pictures` will give, as far as videos say how many frames they have."""
    return sum(-(-number_of_frames(path) // every) if is_video(path) else 1 for path in paths)


def read_pictures(paths: Sequence[Path], batch_size: int, every: int) -> Iterator[list[Picture | Unreadable]]:
    """The pictures in batches, of videos every `every`th frame; up to a batch of images is read ahead of the caller.

    A batch has fewer than `batch_size` where its pictures are large (`batches` says how large), and it is held here no
    longer: a picture is gone when the caller has dropped it.
    """
    root = _common_folder([path for path in paths if not is_video(path)])
    with ThreadPoolExecutor() as pool:
        start = 0
        while start < len(paths):
            if is_video(paths[start]):
                yield from batches(_frames(paths[start], every), batch_size, _pixels)
                start += 1
                continue
            end = next((i for i in range(start, len(paths)) if is_video(paths[i])), len(paths))
            yield from batches(_read_ahead(paths[start:end], root, batch_size, pool), batch_size, _pixels)
            start = end


def unique_name(name: str, taken: set[str]) -> str:
    """`name`, or for the second `cat`, whatever its case, `cat-2`; it is among the `taken` from then on."""
    unique, number = name, 1
    while unique.lower() in taken:
        number += 1
        unique = f"{name}-{number}"
    taken.add(unique.lower())
    return unique


def _matching(pattern: Path) -> list[Path]:
    if not any(letter in str(pattern) for letter in _PATTERN):
        return []
    found = map(Path, glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - it may be absolute
    matching = sorted(found, key=_by_numbers)
    return [path for path in matching if path.is_dir() or path.suffix.lower() in {*FORMAT_OF_SUFFIX, *FORMAT_OF_VIDEO}]


def _files_below(folder: Path) -> list[Path]:
    known = {*FORMAT_OF_SUFFIX, *FORMAT_OF_VIDEO}
    found = (path for path in folder.rglob("*") if path.suffix.lower() in known and path.is_file())
    return sorted(found, key=_by_numbers)


def _by_numbers(path: Path) -> tuple[list[str], Path]:
    """What sorts paths as people count: numbered frames are to play in their order, whether or not zeros lead."""
    return [_NUMBER.sub(lambda number: number[0].zfill(_DIGITS), part) for part in path.parts], path


def _common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that all files are below, absolute."""
    return Path(os.path.commonpath([lexically_absolute(path).parent for path in paths])) if paths else Path()


def _read_ahead(
    paths: Sequence[Path], root: Path, size: int, pool: ThreadPoolExecutor
) -> Iterator[Picture | Unreadable]:
    """What is in `paths`, in their order; up to `size` and up to `MOST_PIXELS` are read or being read meanwhile."""
    reading: deque[tuple[int, Future[Picture | Unreadable]]] = deque()
    for path in paths:
        pixels = _claimed_pixels(path)
        while reading and (len(reading) == size or sum(each for each, _ in reading) + pixels > MOST_PIXELS):
            yield reading.popleft()[1].result()
        reading.append((pixels, pool.submit(_read, path, root)))
    while reading:
        yield reading.popleft()[1].result()


def _claimed_pixels(path: Path) -> int:
    try:
        width, height = stored_size(path)
    except FormatError:
        return 0  # `_read` says why.
    return width * height


def _pixels(one: Picture | Unreadable) -> int:
    return one.image.width * one.image.height if isinstance(one, Picture) else 0


def _read(path: Path, root: Path) -> Picture | Unreadable:
    try:
        with open_image(path, max_megapixels=_MAX_MEGAPIXELS) as image:
            rgb = as_rgb(image)
            # Not before the pixels are decoded: of a TIFF they are upright then.
            orientation = orientation_of(image)
    except FormatError as error:
        return Unreadable(str(path), str(error).removeprefix(f"{path}: "))
    # The second of two copies goes before a third is made.
    image.close()
    upright = rgb.transpose(_TURNS[orientation]) if orientation in _TURNS else rgb
    return Picture(str(path), path.stem, upright, orientation, lexically_absolute(path).parent.relative_to(root))


def _frames(path: Path, every: int) -> Iterator[Picture | Unreadable]:
    try:
        for number, image in frames(path, every, max_megapixels=_MAX_MEGAPIXELS):
            yield Picture(f"{path}#{number}", f"{path.stem}-{number:06}", image, is_frame=True)
    except FormatError as error:
        yield Unreadable(str(path), str(error).removeprefix(f"{path}: "))
