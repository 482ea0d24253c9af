"""`python -m tasks explain FILE`: all that the stages know so far of one image or annotation file."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.split import read_dropped, similarity
from tasks.dataset.boxes import iou
from tasks.dataset.coco_json import read_stage_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import remedy
from tasks.dataset.split_files import read_coco_split, split_file
from tasks.dataset.splits import SPLITS
from tasks.errors import DataError
from tasks.ground.text import composed, print_text, printable
from tasks.params import read_params
from tasks.partition.near_duplicates import similar_pairs

if TYPE_CHECKING:
    from tasks.params import PathParams


def explain(*, file: str, params: Path) -> None:
    """Print what `explanation` gives, with paths and the near-duplicate distance of the params file `params`.

    Raises:
        PipelineError: as `read_params` and `explanation`.
    """
    values = read_params(params)
    print_text(explanation(values.paths, file, values.split.near_duplicate_distance))


def explanation(paths: "PathParams", file: str, near_duplicate_distance: int) -> str:
    """What `file` (the end of its path is enough) is, what was wrong with it, and what became of it, in lines.

    Raises:
        DataError: nothing is known of such a file, several files have this end, or `ingest` has not run.
    """
    if not paths.ingested.exists():
        raise DataError(f"{paths.ingested}: missing; run `dvc repro validate` first")
    before = read_stage_coco(paths.ingested, "ingest")
    after = read_stage_coco(paths.validated, "validate") if paths.validated.exists() else None
    image = _find_image(before, file)
    names = (before.image_path(image).as_posix(), image.source, image.file_name) if image else (file,)
    problems = [problem for problem in (after or before).problems if _is_about(problem, names)]
    if image is None:
        if not problems:
            raise DataError(_unknown_file(before, file))
        return _joined([f"{file}: not among the images that can be used", *_problem_lines(problems)])
    passed = next((each for each in after.images if each.file_name == image.file_name), None) if after else None
    stored = f"; {passed.width} x {passed.height} as stored" if passed else ""
    return _joined(
        [
            before.image_path(image).as_posix(),
            f"  annotation   {image.source}",
            f"  size         {image.width} x {image.height} as annotated{stored}",
            f"  content      SHA-256 {image.sha256[:16]}",
            *_split_lines(paths, passed, after, near_duplicate_distance),
            *_object_lines(image, passed),
            *_problem_lines(problems),
        ]
    )


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(map(printable, lines))


def _find_image(dataset: Dataset, file: str) -> AnnotatedImage | None:
    matching = [
        image
        for image in dataset.images
        if any(_ends_with(name, file) for name in (dataset.image_path(image).as_posix(), image.source))
    ]
    if len(matching) > 1:
        names = ", ".join(dataset.image_path(image).as_posix() for image in matching[:5])
        raise DataError(f"{file}: {len(matching)} images match, such as {names}; give more of the path")
    return matching[0] if matching else None


def _ends_with(path: str, end: str) -> bool:
    last = Path(composed(end)).parts
    return Path(composed(path)).parts[-len(last) :] == last


def _is_about(problem: Problem, names: Sequence[str]) -> bool:
    """Whether the problem is in one of these files, or in a line of one."""
    return any(_ends_with(file, name) for file in (problem.file, problem.file.split(":")[0]) for name in names)


def _unknown_file(dataset: Dataset, file: str) -> str:
    names = [dataset.image_path(image).as_posix() for image in dataset.images]
    near = difflib.get_close_matches(file, [*names, *(Path(name).name for name in names)], n=1)
    suggestion = f"; did you mean {near[0]}?" if near else ""
    return f"{file}: neither an image nor an annotation of {dataset.root}, as ingest last read it{suggestion}"


def _split_lines(
    paths: "PathParams", passed: AnnotatedImage | None, after: Dataset | None, distance: int
) -> Iterator[str]:
    """Its split, and which images are similar and where those are."""
    if passed is None or after is None:
        yield "  gate         " + ("has not run yet" if after is None else "did not let it pass")
        return
    split_of = {
        image.file_name: split
        for split in SPLITS
        if split_file(paths.splits, split).exists()
        for image in read_coco_split(paths.splits, split).images
    }
    split_of |= {row.image: "dropped" for row in read_dropped(paths.splits)}
    given = f"; {passed.given_split} in the author's split" if passed.given_split else ""
    yield f"  split        {split_of.get(passed.file_name, 'not assigned yet')}{given}"
    place = after.images.index(passed)
    for pair in similar_pairs(after.images, distance):
        if place in (pair.first, pair.second):
            other = after.images[pair.second if pair.first == place else pair.first]
            where = split_of.get(other.file_name, "-")
            yield f"  similar to   {other.file_name} ({where}): {similarity(pair.distance)}"


def _object_lines(image: AnnotatedImage, passed: AnnotatedImage | None) -> Iterator[str]:
    """Each object as annotated, and whether an equal box passed."""
    yield f"  objects      {len(image.classes)} annotated, {len(passed.classes) if passed else 0} passed"
    overlaps = iou(image.boxes, passed.boxes) if passed else None
    for i, name in enumerate(image.classes):
        flags = "".join(
            f", {word}" for word, is_set in (("difficult", image.difficult), ("crowd", image.iscrowd)) if is_set[i]
        )
        box = ", ".join(f"{value:g}" for value in image.boxes[i])
        has_passed = overlaps is not None and bool((overlaps[i] > 0.999).any())
        yield f"    {i + 1:>3}  {name}  [{box}]{flags}{'' if has_passed else '  (changed or dropped)'}"


def _problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    yield f"  problems     {len(problems) or 'none'}"
    for problem in problems:
        yield f"    {problem.kind} ({problem.action}): {problem.detail}"
        yield f"      {remedy(problem)}"
