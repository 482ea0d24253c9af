"""`python -m tasks convert`: annotations in one format, read as `ingest` reads them, written in another.

Images stay where they are. What was wrong with the source, and what the other format cannot hold, is printed with its
count; nothing is lost in silence.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import dropped_box_problems, remedy, stops_by_default
from tasks.errors import DataError, FormatError
from tasks.formats.gather import gather
from tasks.formats.losses import losses
from tasks.formats.reading import format_of
from tasks.formats.writers import WRITTEN_FORMATS
from tasks.formats.yolo_writing import write_yolo
from tasks.ground.text import print_text, shortened
from tasks.images.image_file import stored_size
from tasks.params import IngestParams

# What readers advise in terms of params.yaml, and what it is here.
_OPTION_OF_SETTING = {
    r"Name it in params\.yaml, ingest\.columns: .*": "Rename the column that it is",
    r", which ingest\.columns calls": ", called",
    "set ingest.source to": "give as SOURCE",
    "set ingest.source": "give another SOURCE",
    "set ingest.images to": "give with --images",
    "set ingest.format to": "give with --format",
    r"ingest\.source": "SOURCE",
    r"ingest\.images": "--images",
    r"ingest\.format": "--format",
}


def convert(*, source: Path, out: Path, to: str, format: str, images: Path | None, copy_images: bool) -> None:
    """Write the annotations in `source` to `out`, and print what was read, dropped and lost.

    Args:
        source: as `ingest.source`.
        out: a file or a folder, as the format asks; nothing is overwritten.
        to: the format to write, a key of `WRITTEN_FORMATS`.
        format: the format of `source`.
        images: the folder of the images; None takes that of `source`.
        copy_images: copy the images beside the labels, for YOLO alone.

    Raises:
        DataError: the source cannot be read or contradicts itself, no image is left, the format cannot hold a name, or
            `out` has content already or lies in the source.
    """
    _check_target(source, out, to, copy_images)
    if images and not images.is_dir():
        raise DataError(f"{images}: no such folder; --images names the folder in which the images are")
    images = images or (source if source.is_dir() else source.parent)
    with _asking_for_options():
        kind = format_of(source, format)
        before = gather(IngestParams(source=source, images=images, format=kind, columns={}))
    print_text(f"{source}: {kind}, {_figures(before)}")
    after = _with_stored_sizes(before)
    _print_problems(after.problems)
    stopping = sum(stops_by_default(problem.kind) for problem in before.problems)
    if stopping:
        raise DataError(f"{source}: {stopping} annotations may be of another image (above); nothing was written")
    if not after.images:
        raise DataError(f"{source}: no image is left; nothing was written")
    _write(replace(after, problems=()), out, to, copy_images)
    for line in losses(after, to):
        print_text(line)
    print_text(f"{out}: {to}, {_figures(after)}")
    print_text(f"the images are in {after.root.as_posix()}" + (", copies in images/" if copy_images else ""))


def _check_target(source: Path, out: Path, to: str, copy_images: bool) -> None:
    real_out, real_source = Path(os.path.realpath(out)), Path(os.path.realpath(source))
    is_folder = WRITTEN_FORMATS[to].is_folder
    if real_out.is_dir() and (not is_folder or any(real_out.iterdir())):
        what = "a folder with files in it" if is_folder else f"{to} is one file, and this is a folder"
        raise DataError(f"{out}: {what}; name another OUT: nothing is overwritten")
    if real_out.exists() and not real_out.is_dir() and not real_out.is_file():
        raise DataError(f"{out}: a pipe, a socket or a device; name another OUT")
    if real_out.exists() and not real_out.is_dir() and (is_folder or real_out.stat().st_size):
        raise DataError(f"{out}: this file exists; name another OUT: nothing is overwritten")
    if real_out == real_source or (real_source.is_dir() and real_out.is_relative_to(real_source)):
        raise DataError(f"{out} lies in {source}, and would be read with it; name an OUT beside it")
    if copy_images and to != "yolo":
        raise DataError(f"--copy-images: only for YOLO, whose images must lie beside its labels; not for {to}")


@contextmanager
def _asking_for_options() -> Iterator[None]:
    """Errors of readers with this command's options in place of the settings that `ingest` has."""
    try:
        yield
    except DataError as error:
        raise DataError(_as_options(str(error))) from error


def _as_options(message: str) -> str:
    for setting, option in _OPTION_OF_SETTING.items():
        message = re.sub(setting, option, message)
    return message


def _with_stored_sizes(dataset: Dataset) -> Dataset:
    """With the size that each image file has, of which YOLO writes fractions. Images without one are left out."""
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for image in dataset.images:
        path = dataset.image_path(image)
        try:
            width, height = stored_size(path)
        except FormatError as error:
            file = path.as_posix()
            problems.append(Problem("unreadable_image", file, str(error).removeprefix(f"{file}: "), "dropped_image"))
            problems += dropped_box_problems(image, file, "unreadable_image")
            continue
        if (image.width, image.height) not in ((0, 0), (width, height)):
            detail = f"{image.source} gives {image.width} x {image.height}; the image is {width} x {height}"
            problems.append(Problem("size_mismatch", path.as_posix(), detail, "fixed_image"))
        images.append(replace(image, width=width, height=height))
    return replace(dataset, images=tuple(images), problems=(*dataset.problems, *problems))


def _print_problems(problems: Sequence[Problem]) -> None:
    counts = Counter((problem.kind, problem.action) for problem in problems)
    first = {(problem.kind, problem.action): problem for problem in reversed(problems)}
    for (kind, action), count in counts.items():
        example = first[kind, action]
        what = shortened(f"{example.file}: {example.detail}", 500)
        print_text(f"{kind}: {count} ({action}), such as {what}: {_as_options(remedy(example))}")


def _write(dataset: Dataset, out: Path, to: str, copy_images: bool) -> None:
    try:
        if copy_images:
            write_yolo(dataset, out, copy_images=True)
        else:
            WRITTEN_FORMATS[to].writer()(dataset, out)
    except UnicodeEncodeError as error:
        raise DataError(f"{error.object[:200]!r}: the name of a file or a class is not UTF-8; rename it") from error
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror}") from error


def _figures(dataset: Dataset) -> str:
    boxes = sum(dataset.box_counts().values())
    return f"{len(dataset.images)} images, {boxes} boxes, {len(dataset.classes)} classes"
