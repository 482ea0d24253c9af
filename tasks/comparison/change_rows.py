"""What changed in the data as rows: how many of what, and some examples. The page and Markdown show the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.comparison.box_changes import BOX_KINDS
from tasks.comparison.data_changes import IMAGE_KINDS, DataChanges
from tasks.comparison.data_words import (
    BOX_WORDS,
    IMAGE_WORDS,
    box_text,
    groups_text,
    image_text,
    own_boxes,
    problem_text,
)
from tasks.comparison.finding_changes import place_of


@dataclass(frozen=True)
class Row:
    """A count with some of what it counts.

    Attributes:
        count: how many there are.
        words: what became of them.
        groups: from which to which, in brackets; empty where that says nothing.
        examples: `(file, what changed)`.
        kind: of a problem, as the gate names it; empty for images and boxes.
    """

    count: int
    words: str
    groups: str
    examples: Sequence[tuple[str, str]]
    kind: str = ""

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.count - len(self.examples)


def image_rows(changes: DataChanges, examples: int) -> list[Row]:
    """Of images that changed themselves, with up to so many examples of each kind."""
    return [
        Row(
            len(own),
            IMAGE_WORDS[kind],
            groups_text(changes, kind) if kind == "split" else "",
            [(each.latest.image.file_name, image_text(each, kind)) for each in own[:examples]],
        )
        for kind in IMAGE_KINDS
        if (own := changes.of_image[kind])
    ]


def box_rows(changes: DataChanges, examples: int) -> list[Row]:
    """Of boxes in images that both runs have."""
    return [
        Row(
            len(own),
            BOX_WORDS[kind],
            groups_text(changes, kind) if kind == "renamed" else "",
            [(image.latest.image.file_name, box_text(box, kind)) for image, box in own[:examples]],
        )
        for kind in BOX_KINDS
        if (own := own_boxes(changes, kind))
    ]


def finding_rows(changes: DataChanges, examples: int) -> list[Row]:
    """Of problems that the gate found anew, or no more."""
    return [
        Row(
            len(problems),
            verb,
            "",
            [(place_of(each), problem_text(each)) for each in problems[:examples]],
            kind=change.kind,
        )
        for change in changes.findings
        for problems, verb in ((change.came, "came"), (change.went, "went"))
        if problems
    ]
