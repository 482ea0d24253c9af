"""`python -m tasks validate --explain FILE`: all that the stages so far know of one image or annotation file."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.dataset.boxes import iou
from tasks.dataset.coco_json import read_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import remedy
from tasks.dataset.splits import SPLITS
from tasks.errors import DataError
from tasks.ground.files import read_json
from tasks.ground.text import printable
from tasks.partition.near_duplicates import alike

if TYPE_CHECKING:
    from tasks.params import PathParams


def explain(paths: "PathParams", file: str, near_duplicate_distance: int) -> str:
    """What `file` is (the end of its path is enough), what was wrong with it, and what became of it, in lines.

    Raises:
        DataError: nothing is known of such a file, several files end so, or `ingest` has not run.
    """
    if not paths.ingested.exists():
        raise DataError(f"{paths.ingested}: not there; run `dvc repro validate` first")
    before = read_coco(paths.ingested)
    after = read_coco(paths.validated) if paths.validated.exists() else None
    image = _image(before, file)
    names = (before.image_path(image).as_posix(), image.source, image.file_name) if image else (file,)
    problems = [problem for problem in (after or before).problems if _speaks_of(problem, names)]
    if image is None:
        if not problems:
            raise DataError(_nothing_known(before, file))
        return _lines([f"{file}: not among the images that can be used", *_problem_lines(problems)])
    passed = _same(after, image) if after else None
    stored = f"; {passed.width} x {passed.height} as stored" if passed else ""
    return _lines(
        [
            before.image_path(image).as_posix(),
            f"  annotation   {image.source}",
            f"  size         {image.width} x {image.height} as annotated{stored}",
            f"  content      SHA-256 {image.sha256[:16]}",
            *_place(paths, passed, after, near_duplicate_distance),
            *_objects(image, passed),
            *_problem_lines(problems),
        ]
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(map(printable, lines))


def _image(dataset: Dataset, file: str) -> AnnotatedImage | None:
    found = [
        image
        for image in dataset.images
        if any(_ends_with(name, file) for name in (dataset.image_path(image).as_posix(), image.source))
    ]
    if len(found) > 1:
        names = ", ".join(dataset.image_path(image).as_posix() for image in found[:5])
        raise DataError(f"{file}: {len(found)} images are meant, such as {names}; say more of the path")
    return found[0] if found else None


def _ends_with(path: str, end: str) -> bool:
    wanted = Path(end).parts
    return Path(path).parts[-len(wanted) :] == wanted


def _speaks_of(problem: Problem, names: Sequence[str]) -> bool:
    """Whether a problem is of one of these files, or of a line in one."""
    return any(_ends_with(file, name) for file in (problem.file, problem.file.split(":")[0]) for name in names)


def _nothing_known(dataset: Dataset, file: str) -> str:
    names = [dataset.image_path(image).as_posix() for image in dataset.images]
    near = difflib.get_close_matches(file, [*names, *(Path(name).name for name in names)], n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"{file}: neither an image nor an annotation of {dataset.root}, as ingest last saw it{meant}"


def _same(dataset: Dataset, image: AnnotatedImage) -> AnnotatedImage | None:
    return next((one for one in dataset.images if one.file_name == image.file_name), None)


def _place(paths: "PathParams", passed: AnnotatedImage | None, after: Dataset | None, distance: int) -> Iterator[str]:
    """Its part, and which images look like it and where those are."""
    if passed is None or after is None:
        yield "  gate         " + ("has not run yet" if after is None else "did not let it pass")
        return
    part_of = {
        image.file_name: part
        for part in SPLITS
        if (paths.splits / f"{part}.json").exists()
        for image in read_coco(paths.splits / f"{part}.json").images
    }
    if (path := paths.splits / "dropped.json").exists():
        part_of |= {row["image"]: "dropped" for row in read_json(path, "what the split stage writes")}
    given = f"; {passed.given_split} in the author's split" if passed.given_split else ""
    yield f"  part         {part_of.get(passed.file_name, 'not dealt out yet')}{given}"
    place = after.images.index(passed)
    for pair in alike(after.images, distance):
        if place in (pair.first, pair.second):
            other = after.images[pair.second if pair.first == place else pair.first]
            where = part_of.get(other.file_name, "-")
            yield f"  looks like   {other.file_name} ({where}): {pair.distance} of 256 bits differ"


def _objects(image: AnnotatedImage, passed: AnnotatedImage | None) -> Iterator[str]:
    """Each object as annotated, and whether a box like it passed."""
    yield f"  objects      {len(image.classes)} annotated, {len(passed.classes) if passed else 0} passed"
    overlaps = iou(image.boxes, passed.boxes) if passed else None
    for i, name in enumerate(image.classes):
        flags = "".join(
            f", {word}" for word, set_ in (("difficult", image.difficult), ("crowd", image.iscrowd)) if set_[i]
        )
        box = ", ".join(f"{value:g}" for value in image.boxes[i])
        same = overlaps is not None and bool((overlaps[i] > 0.999).any())
        yield f"    {i + 1:>3}  {name}  [{box}]{flags}{'' if same else '  (changed or dropped)'}"


def _problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    yield f"  problems     {len(problems) or 'none'}"
    for problem in problems:
        yield f"    {problem.kind} ({problem.action}): {problem.detail}"
        yield f"      {remedy(problem)}"
