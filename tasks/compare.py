"""`python -m tasks compare A B`: whether B is better than A on the same test images, by more than chance."""

import argparse
import base64
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.annotation.dataset import AnnotatedImage, Dataset
from tasks.drawing import thumbnail
from tasks.errors import EvaluationError, FormatError, PipelineError
from tasks.files import replacing
from tasks.formats.coco import read_coco, read_detections
from tasks.formats.thresholds import read_thresholds
from tasks.metrics.coco import matched
from tasks.metrics.differences import Difference, Flip, differences, flips
from tasks.metrics.intervals import LEAST_IMAGES
from tasks.metrics.matching import Matches
from tasks.report_page.page import render
from tasks.revisions import Run, changed_params, find_run
from tasks.text import printable, tell

_NEEDED = ("splits", "detections", "exported")
# For runs whose export says none.
_SCORE_THRESHOLD = 0.3
_IMAGES_NAMED = 10
_MOST_PICTURES, _PICTURE_PX, _MAX_MEGAPIXELS = 100, 400, 250


@dataclass(frozen=True)
class Scored:
    """A run, and what it found in its test images.

    Attributes:
        run: where it comes from.
        test: its test part.
        matches: of its SavedModel's detections.
        score: the threshold that it was exported with.
    """

    run: Run
    test: Dataset
    matches: Matches
    score: float


@dataclass(frozen=True)
class Comparison:
    """What `compare` shows.

    Attributes:
        before, after: the two runs.
        params: `(key, before, after)` of params that differ.
        figures: each with its interval.
        flipped: the boxes that only one of them finds.
    """

    before: Scored
    after: Scored
    params: Sequence[tuple[str, object, object]]
    figures: Sequence[Difference]
    flipped: Sequence[Flip]


def compare(args: argparse.Namespace) -> None:
    """Compare `args.before` with `args.after`; print it as Markdown, and write `args.out`, a page or Markdown.

    Raises:
        PipelineError: a run cannot be found or read, or they were scored on different test images.
    """
    if args.out.suffix not in (".html", ".md"):
        raise PipelineError(f"--out {args.out}: a file that ends in .html, for a page, or .md, for Markdown")
    with tempfile.TemporaryDirectory() as room:
        before, after = (
            scored(find_run(name, Path(), _NEEDED, Path(room) / place))
            for place, name in (("before", args.before), ("after", args.after))
        )
        found = comparison(before, after)
    text = markdown(found)
    tell(text)
    with replacing(args.out) as beside:
        beside.write_text(page(found) if args.out.suffix == ".html" else text, encoding="utf-8")
    tell(f"{args.out}")


def scored(run: Run) -> Scored:
    """A run's detections, matched.

    Raises:
        PipelineError: its files cannot be read.
    """
    test = read_coco(run.path("splits") / "test.json")
    detections = read_detections(run.path("detections") / "saved_model.json", test)
    file = run.path("exported") / "thresholds.json"
    score = read_thresholds(file).score if file.is_file() else None
    return Scored(run, test, matched(test, detections), _SCORE_THRESHOLD if score is None else score)


def comparison(before: Scored, after: Scored) -> Comparison:
    """What differs between two runs.

    Raises:
        EvaluationError: their test images, or boxes in them, are not the same; the message says how they differ.
    """
    _must_be_the_same(before, after)
    return Comparison(
        before,
        after,
        changed_params(before.run, after.run),
        differences(before.matches, after.matches),
        flips(before.matches, before.score, after.matches, after.score),
    )


def markdown(found: Comparison) -> str:
    """The comparison for a terminal and a pull request."""
    first, second = found.before.run.name, found.after.run.name
    lines = [
        f"**{_cell(second)}** against **{_cell(first)}**, on the same {found.before.matches.images} test images",
        "",
        *(_params_table(found) if found.params else ["Their params are the same.", ""]),
        "| figure | before | after | difference | 95 % interval | |",
        "|---|---:|---:|---:|---:|---|",
        *(_row(difference) for difference in found.figures),
        "",
        *_flips(found),
    ]
    return "\n".join(lines) + "\n"


def page(found: Comparison) -> str:
    """The comparison as one self-contained page, with the pictures in which a box is found by one run only."""
    by_image: defaultdict[int, list[Flip]] = defaultdict(list)
    for flip in found.flipped:
        by_image[flip.image].append(flip)
    chosen = sorted(by_image, key=lambda image: -len(by_image[image]))
    widest = max(
        (max(abs(each.interval.low), abs(each.interval.high)) for each in found.figures if each.interval), default=1.0
    )
    content = {
        "before": found.before.run.name,
        "after": found.after.run.name,
        "images": found.before.matches.images,
        "figures": [_figure_row(each, widest) for each in found.figures],
        "no_interval": _lacks_intervals(found),
        "least_images": LEAST_IMAGES,
        "params": [(key, str(before), str(after)) for key, before, after in found.params],
        "now_found": sum(flip.found for flip in found.flipped),
        "now_missed": sum(not flip.found for flip in found.flipped),
        "before_score": found.before.score,
        "after_score": found.after.score,
        "shots": [_shot(found.before.test, image, by_image[image]) for image in chosen[:_MOST_PICTURES]],
        "more": max(0, len(chosen) - _MOST_PICTURES),
    }
    return render(content, printable, "compare.html.j2")


def _figure_row(difference: Difference, widest: float) -> dict[str, Any]:
    before, after, interval = difference.before, difference.after, difference.interval
    return {
        "name": difference.name,
        "before": before,
        "after": after,
        "difference": None if before is None or after is None else after - before,
        "low": interval and interval.low,
        "high": interval and interval.high,
        # From the left end of a scale that has zero in its middle.
        "from": 0.5 + interval.low / (2 * widest) if interval else 0.0,
        "to": 0.5 + interval.high / (2 * widest) if interval else 0.0,
        "verdict": difference.verdict,
        "kind": "open" if difference.verdict == "can't tell" else difference.verdict,
    }


def _shot(test: Dataset, place: int, flipped: Sequence[Flip]) -> dict[str, Any]:
    image = test.images[place]
    try:
        small = thumbnail(test.image_path(image), _PICTURE_PX, max_megapixels=_MAX_MEGAPIXELS).jpeg
    except FormatError:
        small = b""
    boxes = [
        {
            **dict(zip(("x", "y"), box[:2].tolist(), strict=True)),
            **dict(zip(("width", "height"), (box[2:] - box[:2]).tolist(), strict=True)),
            "name": flip.class_,
            "found": flip.found,
        }
        for flip in flipped
        for box in [image.boxes[flip.box]]
    ]
    picture = base64.b64encode(small).decode("ascii")
    size = {"width": max(1, image.width), "height": max(1, image.height)}
    return {"file_name": image.file_name, "picture": picture, "boxes": boxes, **size}


def _lacks_intervals(found: Comparison) -> bool:
    return any(each.interval is None and each.before != each.after for each in found.figures)


def _params_table(found: Comparison) -> list[str]:
    rows = [f"| `{_cell(key)}` | {_cell(before)} | {_cell(after)} |" for key, before, after in found.params]
    return ["| param | before | after |", "|---|---|---|", *rows, ""]


def _row(difference: Difference) -> str:
    before, after = difference.before, difference.after
    apart = "" if before is None or after is None else f"{after - before:+.3f}"
    ends = f"{difference.interval.low:+.3f} to {difference.interval.high:+.3f}" if difference.interval else "-"
    verdict = difference.verdict if difference.verdict == "can't tell" else f"**{difference.verdict}**"
    return f"| {_cell(difference.name)} | {_figure(before)} | {_figure(after)} | {apart} | {ends} | {verdict} |"


def _flips(found: Comparison) -> list[str]:
    lines = []
    for now_found, what in ((True, "found now and missed before"), (False, "missed now and found before")):
        own = [flip for flip in found.flipped if flip.found == now_found]
        names = list(dict.fromkeys(found.before.test.images[flip.image].file_name for flip in own))
        shown = ", ".join(f"`{_cell(name)}`" for name in names[:_IMAGES_NAMED])
        more = f" and {len(names) - _IMAGES_NAMED} more" if len(names) > _IMAGES_NAMED else ""
        lines.append(f"- {len(own)} boxes {what}{': ' + shown + more if names else ''}")
    scores = f"{found.before.score:.2f} before, {found.after.score:.2f} after"
    told = [*lines, "", f"Each at the score it was exported with ({scores}) and an IoU of 0.5."]
    if _lacks_intervals(found):
        told.append(f"No interval where fewer than {LEAST_IMAGES} test images show the class, or the rarest of them.")
    return told


def _must_be_the_same(before: Scored, after: Scored) -> None:
    first, second = ({image.file_name: image for image in each.test.images} for each in (before, after))
    told = []
    for only, where in ((first.keys() - second.keys(), before), (second.keys() - first.keys(), after)):
        if only:
            told.append(f"{len(only)} images only in {where.run.name} ({_few(only)})")
    changed = [name for name in first.keys() & second.keys() if not _same(first[name], second[name])]
    if changed:
        told.append(f"{len(changed)} images changed, or annotated differently ({_few(changed)})")
    if before.test.classes != after.test.classes:
        told.append(f"classes {', '.join(before.test.classes)} and {', '.join(after.test.classes)}")
    if told:
        raise EvaluationError(
            f"{before.run.name} and {after.run.name} were scored on different test sets: {'; '.join(told)}. Figures of "
            "different images cannot be compared; run `dvc repro` of one with the other's data and split"
        )
    if list(first) != list(second):
        raise EvaluationError(f"{after.run.name}: its test images stand in another order; run `dvc repro` again")


def _same(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    return (
        one.sha256 == other.sha256
        and one.classes == other.classes
        and np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.iscrowd, other.iscrowd)
    )


def _few(names: Sequence[str] | set[str]) -> str:
    return ", ".join(printable(name) for name in sorted(names)[:3]) + (", ..." if len(names) > 3 else "")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _cell(value: object) -> str:
    return printable(str(value)).replace("|", "\\|").replace("`", "'")
