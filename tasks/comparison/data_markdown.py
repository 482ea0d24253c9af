"""What changed in the data, as Markdown: for a terminal and a pull request."""

from collections.abc import Callable, Sequence

from tasks.comparison.change_rows import Row, box_rows, finding_rows, image_rows
from tasks.comparison.data_changes import ClassChange, DataChanges
from tasks.comparison.data_words import (
    CLASS_COLUMNS,
    class_cells,
    next_steps,
    outdated_data_notes,
    totals_text,
    unchanged_text,
)
from tasks.ground.text import markdown_code, markdown_text


def markdown(changes: DataChanges, examples: int, escaped: Callable[[object], str] = markdown_text) -> str:
    """The changes, with up to so many examples of each kind.

    `escaped` is applied to text from the data; a terminal shows it as it is, with `str`.
    """
    first, second = changes.before.run, changes.after.run
    lines = [f"The data of **{escaped(second.name)}** against **{escaped(first.name)}**", ""]
    lines += [f"{escaped(note)}\n" for note in outdated_data_notes(changes)]
    if not changes:
        lines += [
            unchanged_text(changes),
            *(f"`{markdown_code(command)}` {what}." for command, what in next_steps(changes)),
        ]
        return "\n".join(lines) + "\n"
    lines += [totals_text(changes), ""]
    lines += _section("Images:", _lines(image_rows(changes, examples), escaped, "{file} ({what})"))
    lines += _section("Boxes in images that both have:", _lines(box_rows(changes, examples), escaped, "{file} {what}"))
    lines += _class_table(changes.class_changes, escaped)
    lines += _section("What the gate found:", _lines(finding_rows(changes, examples), escaped, "{file} {what}"))
    lines += _section("Next:", [f"- `{markdown_code(command)}` {what}." for command, what in next_steps(changes)])
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, "", *lines, ""] if lines else []


def _lines(rows: Sequence[Row], escaped: Callable[[object], str], example: str) -> list[str]:
    """A line for each row; `example` is how one looks: `{file}` and `{what}` changed."""
    lines = []
    for row in rows:
        shown = [example.format(file=f"`{markdown_code(file)}`", what=escaped(what)) for file, what in row.examples]
        kind = f"`{markdown_code(row.kind)}` " if row.kind else ""
        more = f" and {row.more} more" if row.more else ""
        lines.append(f"- {row.count} {kind}{row.words}{escaped(row.groups)}: {'; '.join(shown)}{more}")
    return lines


def _class_table(changes: Sequence[ClassChange], escaped: Callable[[object], str]) -> list[str]:
    if not changes:
        return []
    rows = [
        f"| {escaped(change.name)} | {' | '.join(str(cell) for cell in class_cells(change))} |" for change in changes
    ]
    head = [f"| boxes of | {' | '.join(CLASS_COLUMNS)} |", f"|---|{'---:|' * len(CLASS_COLUMNS)}"]
    return [*head, *rows, ""]
