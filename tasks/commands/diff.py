"""`python -m tasks diff A B`: what changed in the data between two runs, image by image and box by box."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tasks.comparison.box_changes import BoxChange
from tasks.comparison.change_rows import box_rows, finding_rows, image_rows
from tasks.comparison.data_changes import DataChanges, ImageChange, data_changes
from tasks.comparison.data_markdown import markdown
from tasks.comparison.data_words import (
    BOX_WORDS,
    CLASS_COLUMNS,
    IMAGE_WORDS,
    box_text,
    class_cells,
    image_text,
    next_steps,
    outdated_data_notes,
    totals_text,
    unchanged_text,
)
from tasks.comparison.outcome import require_page_or_markdown, write_page_or_markdown
from tasks.comparison.pictures import picture
from tasks.comparison.revisions import read_both
from tasks.comparison.run_data import NEEDED_FOR_DATA, read_run_data
from tasks.ground.text import print_text, printable
from tasks.report_page.page import render

_EXAMPLES_ON_TERMINAL, _EXAMPLES_IN_FILE = 3, 50
_MOST_PICTURES, _MOST_DRAWN = 100, 300


@dataclass(frozen=True)
class DrawnBox:
    """A box of one of the two runs, in pixels of the image: the name beside it, empty for none, and what changed."""

    x: float
    y: float
    width: float
    height: float
    name: str
    title: str
    is_after: bool


@dataclass(frozen=True)
class Shot:
    """An image of which something changed, with the boxes that changed.

    Attributes:
        picture: a JPEG in Base64, empty where there is none.
        width, height: of the image, in pixels.
        lines: what changed, in words.
    """

    file_name: str
    picture: str
    width: int
    height: int
    boxes: list[DrawnBox]
    lines: list[str]

    @property
    def letters_px(self) -> float:
        """The height of the names of boxes, in pixels of the image."""
        return max(self.width, self.height) / 24


def diff(*, before: str, after: str, out: Path) -> None:
    """Print what changed in the data from the run `before` to `after`, and write `out`, a page or Markdown.

    Raises:
        PipelineError: a run cannot be found or read.
    """
    require_page_or_markdown(out)
    found = data_changes(*read_both(before, after, NEEDED_FOR_DATA, read_run_data, "dvc repro split"))
    write_page_or_markdown(out, page=lambda: page(found), markdown=lambda: markdown(found, _EXAMPLES_IN_FILE))
    print_text(markdown(found, _EXAMPLES_ON_TERMINAL, str))
    print_text(f"{out}")


def page(found: DataChanges) -> str:
    """The changes as one self-contained page, with pictures of the images and boxes that changed."""
    chosen = _images_to_show(found)
    content = {
        "before": found.before.run.name,
        "after": found.after.run.name,
        "unchanged": "" if found else unchanged_text(found),
        "totals": totals_text(found),
        "outdated": outdated_data_notes(found),
        "images": image_rows(found, _EXAMPLES_IN_FILE),
        "boxes": box_rows(found, _EXAMPLES_IN_FILE),
        "class_columns": CLASS_COLUMNS,
        "classes": [(change.name, class_cells(change)) for change in found.class_changes],
        "findings": finding_rows(found, _EXAMPLES_IN_FILE),
        "steps": next_steps(found),
        "shots": [_shot(found, change) for change in chosen[:_MOST_PICTURES]],
        "more": max(0, len(chosen) - _MOST_PICTURES),
    }
    return render(content, printable, "diff.html.j2")


def _images_to_show(found: DataChanges) -> list[ImageChange]:
    """The images that changed, so ordered that the first few show every kind of change; the most boxes first."""
    ranks: Counter[str] = Counter()
    order = []
    for image in sorted(found.images, key=lambda each: -len(each.boxes)):
        kinds = {*image.kinds, *(kind for box in image.boxes[:1] for kind in box.kinds)}
        order.append((min(ranks[kind] for kind in kinds), image))
        ranks.update(kinds)
    return [image for _, image in sorted(order, key=lambda entry: entry[0])]


def _shot(found: DataChanges, change: ImageChange) -> Shot:
    image = change.latest.image
    paths = [
        data.run.photos / data.root / placed.image.file_name
        for data, placed in ((found.after, change.after), (found.before, change.before))
        if placed is not None
    ]
    shown = picture(image, paths)
    lines = [f"{IMAGE_WORDS[kind]} ({image_text(change, kind)})" for kind in change.kinds]
    if not set(change.kinds) & {"added", "removed"}:
        counts = Counter(kind for box in change.boxes for kind in box.kinds)
        lines += [f"{counts[kind]} {'box' if counts[kind] == 1 else 'boxes'} {BOX_WORDS[kind]}" for kind in counts]
    if len(change.boxes) > _MOST_DRAWN:
        lines.append(f"{_MOST_DRAWN} of {len(change.boxes)} boxes are drawn")
    return Shot(
        image.file_name,
        shown,
        max(1, image.width),
        max(1, image.height),
        [drawn for box in change.boxes[:_MOST_DRAWN] for drawn in _boxes_to_draw(box)],
        lines,
    )


def _boxes_to_draw(change: BoxChange) -> list[DrawnBox]:
    """The box before and after; the class stands at the later one."""
    title = "; ".join(f"{BOX_WORDS[kind]}: {box_text(change, kind)}" for kind in change.kinds)
    before, after = change.before, change.after
    is_renamed = before is not None and after is not None and before.class_ != after.class_
    found = []
    for box, is_after in ((before, False), (after, True)):
        if box is not None:
            xmin, ymin, xmax, ymax = box.corners
            name = f"{before.class_} \u2192 {box.class_}" if before and is_renamed else box.class_
            is_last = is_after or after is None
            found.append(DrawnBox(xmin, ymin, xmax - xmin, ymax - ymin, name if is_last else "", title, is_after))
    return found
