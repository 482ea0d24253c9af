"""Pictures to predict on: images, folders, patterns, and the frames of videos, batch by batch."""

import glob
import os
import re
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tasks.dataset.detections import MOST_PIXELS, batches
from tasks.errors import DataError, FormatError
from tasks.ground.walk import files_below
from tasks.images.image_file import FORMAT_OF_SUFFIX, open_image, orientation_of, stored_size
from tasks.images.image_finder import lexically_absolute
from tasks.images.rgb import as_rgb
from tasks.images.unread_formats import named_files
from tasks.images.video import FORMAT_OF_VIDEO, frames

# A file that claims more pixels than any camera gives is an attack on memory.
_MAX_MEGAPIXELS = 250
_SUFFIXES = {*FORMAT_OF_SUFFIX, *FORMAT_OF_VIDEO}
_PATTERN = "*?["
# The transposition that turns an image upright, by its EXIF orientation (CIPA DC-008, table of tag Orientation).
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
        name: the file's path; for a frame, the video's path with `#` and the frame's number, from 0.
        stem: the name, without its extension, of files about the picture, before `unique_name`.
        image: upright, RGB.
        orientation: the EXIF orientation that it was turned by; 1 for a picture that is stored upright, and for frames.
        folder: the file's folder, relative to the deepest folder that holds all images of the run; empty for frames.
        is_frame: whether it is a frame of a video, without a file of its own.
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
    """The images and videos that `inputs` name, each once.

    A file counts whatever its suffix. In a folder and its subfolders the suffix decides, in either case, and
    hidden files are left out. An input that
    does not exist and contains `*`, `?` or `[` is a pattern; `**` stands for any folders. Files of a folder or of a
    pattern are sorted, 2.jpg before 10.jpg.

    Raises:
        DataError: an input does not exist, nothing was found, or `out` and an input lie in each other, so that drawn
            pictures would overwrite images or be read as images the next time.
    """
    files: dict[Path, Path] = {}
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
                files.setdefault(file.resolve(), file)
    if not files:
        raise DataError(
            f"{', '.join(map(str, inputs))}: no images found; looked for files ending in {', '.join(sorted(_SUFFIXES))}"
            + (f"; there are {named_files(others)}" if (others := passed_over(inputs)) else "")
        )
    return list(files.values())


def passed_over(inputs: Sequence[Path]) -> list[Path]:
    """The files in folders among `inputs` that `find_inputs` leaves out: their suffix is no image's or video's."""
    files = (file for entry in inputs if entry.is_dir() for file in files_below(entry))
    return [file for file in files if file.suffix.lower() not in _SUFFIXES]


def is_video(path: Path) -> bool:
    """Whether the suffix is a video's."""
    return path.suffix.lower() in FORMAT_OF_VIDEO


def read_pictures(
    paths: Sequence[Path], batch_size: int, every: int
) -> Generator[list[Picture | Unreadable], None, None]:
    """The pictures in batches; of a video, every `every`th frame. Up to a batch of images is read ahead of the caller.

    A batch has fewer than `batch_size` pictures where they are large (see `batches`). No reference to a picture stays
    here: its memory is free once the caller has dropped it.
    """
    root = _common_folder([path for path in paths if not is_video(path)])
    with abandoning_pool() as pool:
        start = 0
        while start < len(paths):
            if is_video(paths[start]):
                yield from batches(_frames(paths[start], every), batch_size, _pixels)
                start += 1
                continue
            end = next((i for i in range(start, len(paths)) if is_video(paths[i])), len(paths))
            yield from batches(_read_ahead(paths[start:end], root, batch_size, pool), batch_size, _pixels)
            start = end


@contextmanager
def abandoning_pool(threads: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """A pool that, where the block ends early, drops what it has not begun."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def unique_name(name: str, used: set[str]) -> str:
    """`name`, or `name-2` and so on where `used` has it in any case; the result is added to `used`."""
    unique, number = name, 1
    while unique.lower() in used:
        number += 1
        unique = f"{name}-{number}"
    used.add(unique.lower())
    return unique


def _matching(pattern: Path) -> list[Path]:
    if not any(letter in str(pattern) for letter in _PATTERN):
        return []
    paths = map(Path, glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - it may be absolute
    return sorted((path for path in paths if path.is_dir() or path.suffix.lower() in _SUFFIXES), key=_numeric_order)


def _files_below(folder: Path) -> list[Path]:
    paths = (path for path in files_below(folder) if path.suffix.lower() in _SUFFIXES and path.is_file())
    return sorted(paths, key=_numeric_order)


def _numeric_order(path: Path) -> tuple[list[str], Path]:
    """Sorts paths as people count: numbered frames play in their order, with leading zeros or without."""
    return [_NUMBER.sub(lambda number: number[0].zfill(_DIGITS), part) for part in path.parts], path


def _common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that all files are below, absolute."""
    return Path(os.path.commonpath([lexically_absolute(path).parent for path in paths])) if paths else Path()


def _read_ahead(
    paths: Sequence[Path], root: Path, size: int, pool: ThreadPoolExecutor
) -> Iterator[Picture | Unreadable]:
    """The pictures of `paths`, in order; at most `size` pictures and `MOST_PIXELS` pixels are read ahead."""
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
        return 0  # `_read` reports why.
    return width * height


def _pixels(each: Picture | Unreadable) -> int:
    return each.image.width * each.image.height if isinstance(each, Picture) else 0


def _read(path: Path, root: Path) -> Picture | Unreadable:
    try:
        with open_image(path, max_megapixels=_MAX_MEGAPIXELS) as image:
            rgb = as_rgb(image)
            # After the pixels are decoded: Pillow has turned a TIFF's upright by then.
            orientation = orientation_of(image)
    except FormatError as error:
        return Unreadable(str(path), str(error).removeprefix(f"{path}: "))
    # Frees the second copy of the pixels before a third is made.
    image.close()
    upright = rgb.transpose(_TURNS[orientation]) if orientation in _TURNS else rgb
    return Picture(str(path), path.stem, upright, orientation, lexically_absolute(path).parent.relative_to(root))


def _frames(path: Path, every: int) -> Iterator[Picture | Unreadable]:
    try:
        for number, image in frames(path, every, max_megapixels=_MAX_MEGAPIXELS):
            yield Picture(f"{path}#{number}", f"{path.stem}-{number:06}", image, is_frame=True)
    except FormatError as error:
        yield Unreadable(str(path), str(error).removeprefix(f"{path}: "))
