"""What changed in the data, in words: plain text, which Markdown and the pages escape."""

import re
import shlex
from collections import Counter

from tasks.comparison.box_changes import BOX_KINDS, Box, BoxChange, BoxKind
from tasks.comparison.data_changes import ClassChange, DataChanges, ImageChange, ImageKind
from tasks.comparison.finding_changes import place_of
from tasks.comparison.revisions import outdated_notes
from tasks.comparison.run import Run
from tasks.dataset.boxes import Corners
from tasks.dataset.dataset import Problem
from tasks.ground.text import counted

IMAGE_WORDS: dict[ImageKind, str] = {
    "removed": "removed",
    "added": "added",
    "split": "moved to another split",
    "content": "with other content under the same name",
    "renamed": "renamed, with the same content",
}
BOX_WORDS: dict[BoxKind, str] = {
    "removed": "removed",
    "added": "added",
    "moved": "moved",
    "renamed": "given another class",
    "flags": "with another flag",
}
_MOST_GROUPS = 8
# The sections of params.yaml that the stages up to split read.
_DATA_SECTIONS = ("sample", "ingest", "validate", "model", "split")
_PLAIN_ARGUMENT = re.compile(r"[\w./-][\w./~-]*", re.ASCII)
CLASS_COLUMNS = ("before", "after", "added", "removed", "moved", "renamed from", "renamed to", "flags")


def unchanged_text(changes: DataChanges) -> str:
    """The sentence where nothing differs."""
    data = changes.after
    boxes = sum(len(image.classes) for image in data.images)
    return (
        f"The data are the same: {counted(len(data.images), 'image')} with {counted(boxes, 'box')}, their splits, and "
        "what the gate found."
    )


def totals_text(changes: DataChanges) -> str:
    """How many images and boxes there are before and after, and how many boxes came and went with their images."""
    (images, boxes), (images_after, boxes_after) = (
        (len(data.images), sum(len(image.classes) for image in data.images)) for data in (changes.before, changes.after)
    )
    with_images = {
        kind: sum(len(each.boxes) for each in changes.of_image[kind]) for kind in ("removed", "added")
    }  # fmt: skip
    moved = [f"{counted(number, 'box')} {kind} with their images" for kind, number in with_images.items() if number]
    return (
        f"{counted(images, 'image')} with {counted(boxes, 'box')} before, {images_after} with {boxes_after} after"
        f"{'; ' + ', '.join(moved) if moved else ''}."
    )


def counts_text(changes: DataChanges) -> str:
    """The counts in one line: `1 image removed; 2 boxes moved; 3 findings of the gate came`."""
    images = [f"{counted(len(own), 'image')} {IMAGE_WORDS[kind]}" for kind, own in changes.of_image.items() if own]
    boxes = [
        f"{counted(number, 'box')} {BOX_WORDS[kind]}" for kind in BOX_KINDS if (number := len(own_boxes(changes, kind)))
    ]
    findings = [
        f"{counted(number, 'finding')} of the gate {verb}"
        for verb, number in (
            ("came", sum(len(each.came) for each in changes.findings)),
            ("went", sum(len(each.went) for each in changes.findings)),
        )
        if number
    ]
    classes = set(changes.before.classes) ^ set(changes.after.classes)
    only_classes = [f"{counted(len(classes), 'class')} in one run only"] if classes else []
    return "; ".join(filter(None, map(", ".join, (images, boxes, findings, only_classes))))


def own_boxes(changes: DataChanges, kind: BoxKind) -> list[tuple[ImageChange, BoxChange]]:
    """The boxes of one kind in images that both runs have."""
    return [(image, box) for image, box in changes.box_changes(kind) if image.before and image.after]


def next_steps(changes: DataChanges) -> list[tuple[str, str]]:
    """What to do next: a command, and what it does."""
    steps = []
    if not changes and any(run.folder == run.photos for run in (changes.before.run, changes.after.run)):
        steps.append(("dvc repro split", "reads files that you have changed since"))
    # Figures of different classes are not compared.
    if _is_test_changed(changes) and set(changes.before.classes) == set(changes.after.classes):
        command = command_text("compare", changes.before.run, changes.after.run)
        steps.append((command, "compares the figures on the test images that both runs share: the test split changed"))
    came = [problem for change in changes.findings for problem in change.came]
    if came:
        command = f"python -m tasks explain {shlex.quote(place_of(came[0]))}"
        steps.append((command, "prints all that the working tree's last run knows of this file"))
    return steps


def outdated_data_notes(changes: DataChanges) -> list[str]:
    """A sentence for each run of which a param that makes the data was changed since."""
    return outdated_notes(changes.before.run, changes.after.run, sections=_DATA_SECTIONS)


def command_text(command: str, before: Run, after: Run) -> str:
    """`python -m tasks COMMAND A B` for the two runs as they were given."""
    return f"python -m tasks {command} {_argument(before.given)} {_argument(after.given)}"


def _argument(text: str) -> str:
    """`text` for a shell, where a `~` inside a name, as in HEAD~1, is nothing special."""
    return text if _PLAIN_ARGUMENT.fullmatch(text) else shlex.quote(text)


def image_text(change: ImageChange, kind: ImageKind) -> str:
    """What is to be read beside the name of an image that changed in this way."""
    image = change.latest
    if kind in ("added", "removed"):
        own = f"{image.split}, {counted(len(image.image.classes), 'box')}"
        return f"{own}; {change.reason}" if change.reason else own
    if change.before is None or change.after is None:
        return ""
    if kind == "split":
        return f"{change.before.split} to {change.after.split}"
    if kind == "renamed":
        return f"was {change.before.image.file_name}"
    sizes = [f"{each.image.width} x {each.image.height}" for each in (change.before, change.after)]
    return f"{sizes[0]} to {sizes[1]} pixels" if sizes[0] != sizes[1] else image.split


def box_text(change: BoxChange, kind: BoxKind) -> str:
    """One box that changed in this way: `key [10, 20, 30, 40] to [12, 20, 32, 40]`."""
    before, after = change.before, change.after
    if before is None or after is None:
        own = after or before
        return f"{own.class_} {_corners(own.corners)}" if own else ""
    if kind == "renamed":
        return f"{before.class_} to {after.class_} {_corners(after.corners)}"
    if kind == "moved":
        return f"{after.class_} {_corners(before.corners)} to {_corners(after.corners)}"
    return f"{after.class_} {_corners(after.corners)} {_flags(before)} to {_flags(after)}"


def problem_text(problem: Problem) -> str:
    """What a problem says beside its file."""
    return f"{problem.detail} ({problem.action.replace('_', ' ')})"


def class_cells(change: ClassChange) -> list[int]:
    """The counts of one class, in the order of `CLASS_COLUMNS`."""
    by_kind = change.changes
    return [
        change.before,
        change.after,
        by_kind["added"],
        by_kind["removed"],
        by_kind["moved"],
        change.renamed_from,
        change.renamed_to,
        by_kind["flags"],
    ]


def groups_text(changes: DataChanges, kind: ImageKind | BoxKind) -> str:
    """Of images in another split and of boxes of another class: how many from which to which, in brackets."""
    pairs: Counter[tuple[str, str]] = Counter()
    if kind == "split":
        pairs.update((each.before.split, each.after.split) for each in changes.images if each.before and each.after)
    elif kind == "renamed":
        boxes = [box for _, box in changes.box_changes("renamed")]
        pairs.update((box.before.class_, box.after.class_) for box in boxes if box.before and box.after)
    listed = [f"{number} {first} to {second}" for (first, second), number in pairs.most_common() if first != second]
    return f" ({', '.join(listed[:_MOST_GROUPS])}{', ...' if len(listed) > _MOST_GROUPS else ''})" if listed else ""


def _corners(corners: Corners) -> str:
    return f"[{', '.join(f'{value:g}' for value in corners)}]"


def _flags(box: Box) -> str:
    names = [name for name, is_set in (("difficult", box.difficult), ("crowd", box.iscrowd)) if is_set]
    return " and ".join(names) or "no flag"


def _is_test_changed(changes: DataChanges) -> bool:
    return any(
        "test" in (placed.split for placed in (each.before, each.after) if placed is not None)
        for each in changes.images
        if each.boxes or set(each.kinds) - {"renamed"}
    )
