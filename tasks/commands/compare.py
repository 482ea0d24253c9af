"""`python -m tasks compare A B`: whether B is better than A on the same test images, by more than chance."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.comparison.explanation import Explanation, explain_difference
from tasks.comparison.explanation_text import (
    explain_command,
    explain_hint,
    explanation_content,
    explanation_lines,
)
from tasks.comparison.outcome import require_page_or_markdown, write_page_or_markdown
from tasks.comparison.pictures import picture
from tasks.comparison.revisions import outdated_notes, read_both
from tasks.comparison.two_runs import (
    NEEDED,
    OPTIONAL,
    Comparison,
    compare_runs,
    data_notes,
    diff_command,
    lacks_intervals,
    left_out_notes,
    read_results,
    scores_note,
)
from tasks.errors import PipelineError
from tasks.ground.figures import figure_text
from tasks.ground.text import markdown_code, markdown_text, print_text, printable
from tasks.metrics.differences import Difference, Flip
from tasks.metrics.intervals import LEAST_IMAGES
from tasks.report_page.page import render

_IMAGES_NAMED = 10
_MOST_PICTURES = 100


@dataclass(frozen=True)
class FigureRow:
    """One figure of both runs, for the page.

    Attributes:
        difference: `after - before`; None where one run has no figure.
        low, high: the 95 % interval of the difference, None where there is none.
        start, end: where the interval lies on a scale of 0..1 that has zero in its middle.
        verdict: in words.
        kind: `better`, `worse` or `open`: a CSS class.
    """

    name: str
    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    start: float
    end: float
    verdict: str
    kind: str


@dataclass(frozen=True)
class FlippedBox:
    """A box that one run alone finds, in pixels of the image; `found`: whether the second run is the one."""

    x: float
    y: float
    width: float
    height: float
    name: str
    found: bool


@dataclass(frozen=True)
class FlipCounts:
    """How many boxes of each class the second run finds anew (`found`) or misses."""

    found: bool
    classes: list[tuple[str, int]]


@dataclass(frozen=True)
class Shot:
    """An image with the boxes that one run alone finds.

    Attributes:
        picture: a JPEG in Base64, empty where there is none.
        width, height: of the image that was scored, in pixels.
    """

    file_name: str
    picture: str
    width: int
    height: int
    boxes: list[FlippedBox]
    counts: list[FlipCounts]


def compare(*, before: str, after: str, out: Path, explain: bool = False, both_orders: bool = False) -> None:
    """Compare the run `before` with `after`; print it as Markdown, and write `out`, a page or Markdown.

    With `explain` a run in between says how much of the differences data and params explain; with `both_orders` a
    second one, too.

    Raises:
        PipelineError: a run cannot be found or read, they share too few test images, or a run in between failed.
    """
    require_page_or_markdown(out)
    if both_orders and not explain:
        raise PipelineError("--both-orders: says how --explain takes the difference apart; give both")
    first, second = read_both(before, after, NEEDED, read_results, optional=OPTIONAL)
    found = compare_runs(first, second)
    explained = None
    if explain:
        explained = explain_difference(first, second, found, both_orders=both_orders, root=Path())
    text = markdown(found, explained)
    write_page_or_markdown(out, page=lambda: page(found, explained), markdown=lambda: text)
    print_text(text)
    print_text(f"{out}")


def markdown(found: Comparison, explained: Explanation | None = None) -> str:
    """The comparison for a terminal and a pull request."""
    first, second = found.before.run.name, found.after.run.name
    lines = [
        f"**{markdown_text(second)}** against **{markdown_text(first)}**, on {_which_images(found)}",
        "",
        *(f"{markdown_text(line)}\n" for line in left_out_notes(found)),
        *(_params_table(found) if found.params else ["Their params are the same.", ""]),
        *(f"{markdown_text(line)}\n" for line in outdated_notes(found.before.run, found.after.run)),
        *_data_lines(found, explained),
        "| figure | before | after | difference | 95 % interval | |",
        "|---|---:|---:|---:|---:|---|",
        *(_row(difference) for difference in found.figures),
        "",
        *(explanation_lines(explained, found) if explained else []),
        *_flips(found),
    ]
    return "\n".join(lines) + "\n"


def page(found: Comparison, explained: Explanation | None = None) -> str:
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
        "images": _which_images(found),
        "left_out": left_out_notes(found),
        "data": data_notes(found),
        "diff_command": diff_command(found),
        "explain_hint": "" if explained else explain_hint(found),
        "explain_command": explain_command(found),
        "explanation": explanation_content(explained, found) if explained else None,
        "figures": [_figure_row(each, widest) for each in found.figures],
        "no_interval": lacks_intervals(found),
        "least_images": LEAST_IMAGES,
        "params": [(key, str(before), str(after)) for key, before, after in found.params],
        "outdated": outdated_notes(found.before.run, found.after.run),
        "now_found": sum(flip.found for flip in found.flipped),
        "now_missed": sum(not flip.found for flip in found.flipped),
        "at_scores": scores_note(found),
        "shots": [_shot(found, image, by_image[image]) for image in chosen[:_MOST_PICTURES]],
        "more": max(0, len(chosen) - _MOST_PICTURES),
    }
    return render(content, printable, "compare.html.j2")


def _figure_row(difference: Difference, widest: float) -> FigureRow:
    before, after, interval = difference.before, difference.after, difference.interval
    return FigureRow(
        name=difference.name,
        before=before,
        after=after,
        difference=None if before is None or after is None else after - before,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        start=0.5 + interval.low / (2 * widest) if interval else 0.0,
        end=0.5 + interval.high / (2 * widest) if interval else 0.0,
        verdict=difference.verdict,
        kind="open" if difference.verdict == "can't tell" else difference.verdict,
    )


def _shot(found: Comparison, place: int, flipped: Sequence[Flip]) -> Shot:
    image = found.before.test.images[place]
    corners = [(flip, *image.boxes[flip.box].tolist()) for flip in flipped]
    return Shot(
        file_name=image.file_name,
        picture=picture(
            image, [each.run.photos / each.test.root / image.file_name for each in (found.after, found.before)]
        ),
        width=max(1, image.width),
        height=max(1, image.height),
        boxes=[
            FlippedBox(xmin, ymin, xmax - xmin, ymax - ymin, flip.class_, flip.found)
            for flip, xmin, ymin, xmax, ymax in corners
        ],
        counts=[
            FlipCounts(is_found, list(Counter(flip.class_ for flip in flipped if flip.found == is_found).items()))
            for is_found in (True, False)
        ],
    )


def _which_images(found: Comparison) -> str:
    images = found.before.matches.images
    return f"the same {images} test images" if found.shared.is_whole else f"the {images} test images that both share"


def _data_lines(found: Comparison, explained: Explanation | None) -> list[str]:
    notes = data_notes(found)
    lines = []
    if notes:
        lines = [f"{markdown_text(' '.join(notes))} `{markdown_code(diff_command(found))}` lists what changed.", ""]
    hint = "" if explained else explain_hint(found)
    return [*lines, *([f"{markdown_text(hint)} `{markdown_code(explain_command(found))}`.", ""] if hint else [])]


def _params_table(found: Comparison) -> list[str]:
    rows = [
        f"| `{markdown_code(key)}` | {markdown_text(before)} | {markdown_text(after)} |"
        for key, before, after in found.params
    ]
    return ["| param | before | after |", "|---|---|---|", *rows, ""]


def _row(difference: Difference) -> str:
    before, after = difference.before, difference.after
    change = "" if before is None or after is None else f"{after - before:+.3f}"
    ends = f"{difference.interval.low:+.3f} to {difference.interval.high:+.3f}" if difference.interval else "-"
    verdict = difference.verdict if difference.verdict == "can't tell" else f"**{difference.verdict}**"
    name = markdown_text(difference.name)
    return f"| {name} | {figure_text(before)} | {figure_text(after)} | {change} | {ends} | {verdict} |"


def _flips(found: Comparison) -> list[str]:
    lines = []
    for now_found, what in ((True, "found now and missed before"), (False, "missed now and found before")):
        own = [flip for flip in found.flipped if flip.found == now_found]
        names = list(dict.fromkeys(found.before.test.images[flip.image].file_name for flip in own))
        first = ", ".join(f"`{markdown_code(name)}`" for name in names[:_IMAGES_NAMED])
        more = f" and {len(names) - _IMAGES_NAMED} more" if len(names) > _IMAGES_NAMED else ""
        lines.append(f"- {len(own)} boxes {what}{': ' + first + more if names else ''}")
    lines += ["", f"{scores_note(found)}, and an IoU of 0.5."]
    if lacks_intervals(found):
        lines.append(f"No interval where fewer than {LEAST_IMAGES} test images show the class, or the rarest of them.")
    return lines
