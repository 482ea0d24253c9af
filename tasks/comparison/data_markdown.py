"""What changed in the data, as Markdown: for a terminal and a pull request."""

from collections.abc import Callable, Iterator, Sequence

from tasks.comparison.box_changes import BOX_KINDS
from tasks.comparison.data_changes import IMAGE_KINDS, ClassChange, DataChanges
from tasks.comparison.data_words import (
    BOX_WORDS,
    CLASS_COLUMNS,
    IMAGE_WORDS,
    box_text,
    class_cells,
    groups_text,
    image_text,
    next_steps,
    outdated_data_notes,
    own_boxes,
    problem_text,
    totals_text,
    unchanged_text,
)
from tasks.comparison.finding_changes import place_of
from tasks.ground.text import markdown_text, printable


def markdown(changes: DataChanges, examples: int, escaped: Callable[[object], str] = markdown_text) -> str:
    """The changes, with up to so many examples of each kind.

    `escaped` is applied to text from the data; a terminal shows it as it is, with `str`.
    """
    first, second = changes.before.run, changes.after.run
    lines = [f"The data of **{escaped(second.name)}** against **{escaped(first.name)}**", ""]
    lines += [f"{escaped(note)}\n" for note in outdated_data_notes(changes)]
    if not changes:
        lines += [unchanged_text(changes), *(f"`{code(command)}` {what}." for command, what in next_steps(changes))]
        return "\n".join(lines) + "\n"
    lines += [totals_text(changes), ""]
    lines += _section("Images:", list(_image_lines(changes, examples, escaped)))
    lines += _section("Boxes in images that both have:", list(_box_lines(changes, examples, escaped)))
    lines += _class_table(changes.class_changes, escaped)
    lines += _section("What the gate found:", list(_finding_lines(changes, examples, escaped)))
    lines += _section("Next:", [f"- `{code(command)}` {what}." for command, what in next_steps(changes)])
    return "\n".join(lines).rstrip() + "\n"


def code(value: object) -> str:
    """`value` as text between backticks, where only backticks and the bars of tables have a meaning."""
    return printable(str(value)).replace("|", "\\|").replace("`", "'")


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, "", *lines, ""] if lines else []


def _image_lines(changes: DataChanges, examples: int, escaped: Callable[[object], str]) -> Iterator[str]:
    for kind in IMAGE_KINDS:
        own = changes.of_image[kind]
        if own:
            shown = [
                f"`{code(each.latest.image.file_name)}` ({escaped(image_text(each, kind))})" for each in own[:examples]
            ]
            what = groups_text(changes, kind) if kind == "split" else ""
            yield f"- {len(own)} {IMAGE_WORDS[kind]}{escaped(what)}: {_joined_examples(shown, len(own))}"


def _box_lines(changes: DataChanges, examples: int, escaped: Callable[[object], str]) -> Iterator[str]:
    for kind in BOX_KINDS:
        own = own_boxes(changes, kind)
        if own:
            shown = [
                f"`{code(image.latest.image.file_name)}` {escaped(box_text(box, kind))}"
                for image, box in own[:examples]
            ]
            what = groups_text(changes, kind) if kind == "renamed" else ""
            yield f"- {len(own)} {BOX_WORDS[kind]}{escaped(what)}: {_joined_examples(shown, len(own))}"


def _finding_lines(changes: DataChanges, examples: int, escaped: Callable[[object], str]) -> Iterator[str]:
    for change in changes.findings:
        for problems, verb in ((change.came, "came"), (change.went, "went")):
            if problems:
                shown = [f"`{code(place_of(each))}` {escaped(problem_text(each))}" for each in problems[:examples]]
                yield f"- {len(problems)} `{code(change.kind)}` {verb}: {_joined_examples(shown, len(problems))}"


def _joined_examples(shown: Sequence[str], total: int) -> str:
    more = f" and {total - len(shown)} more" if total > len(shown) else ""
    return "; ".join(shown) + more


def _class_table(changes: Sequence[ClassChange], escaped: Callable[[object], str]) -> list[str]:
    if not changes:
        return []
    rows = [
        f"| {escaped(change.name)} | {' | '.join(str(cell) for cell in class_cells(change))} |" for change in changes
    ]
    head = [f"| boxes of | {' | '.join(CLASS_COLUMNS)} |", f"|---|{'---:|' * len(CLASS_COLUMNS)}"]
    return [*head, *rows, ""]
