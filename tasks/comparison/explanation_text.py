"""What explains the difference between two runs, in words: plain text, which Markdown and the page escape."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.artifacts.analysis import Interval
from tasks.comparison.data_words import command_text
from tasks.comparison.explanation import Explanation, needs_run_between
from tasks.comparison.factors import Factors, Side
from tasks.comparison.two_runs import Comparison, factors_between
from tasks.ground.figures import duration_text, rounded_parts
from tasks.ground.text import markdown_text
from tasks.metrics.decomposition import FigureParts, Part
from tasks.metrics.differences import Verdict

TITLE = "What explains the difference"
SEED_NOTE = (
    "An interval says how far a part could be off on other test images of this kind. It says nothing of another "
    "train.seed: two trainings that differ in that alone differ by some figures, too, and each part holds such a "
    "difference."
)


@dataclass(frozen=True)
class PartCell:
    """A part as it is shown: rounded so that the parts of a figure add up to its difference.

    Attributes:
        low, high: the 95 % interval, None where there is none.
    """

    change: float
    low: float | None
    high: float | None
    verdict: Verdict

    @property
    def kind(self) -> str:
        """`better`, `worse` or `open`: a CSS class."""
        return "open" if self.verdict == "can't tell" else self.verdict


@dataclass(frozen=True)
class PartsRow:
    """One figure with its parts."""

    name: str
    whole: float
    data: PartCell
    params: PartCell


def explain_hint(found: Comparison) -> str:
    """What `--explain` would do and take; empty where data and params do not both differ."""
    if not needs_run_between(found):
        return ""
    name = factors_between(found).params_name
    times = [(own.training_s, own.run.name) for own in (found.before, found.after) if own.training_s is not None]
    took = f"; training took {' and '.join(f'{duration_text(seconds)} in {run}' for seconds, run in times)}"
    return (
        f"How much of the difference comes from the data and how much from the {name} is measured with a run in "
        f"between: the data of {found.after.run.name}, the {name} of {found.before.run.name}. This command trains it, "
        f"unless DVC's cache has such a run{took if times else ''}:"
    )


def explain_command(found: Comparison) -> str:
    """The command that explains."""
    return f"{command_text('compare', found.before.run, found.after.run)} --explain"


def rows(explanation: Explanation) -> list[PartsRow]:
    """A row for each figure."""
    return [_row(parts) for parts in explanation.parts]


def notes(explanation: Explanation, found: Comparison) -> list[str]:
    """Sentences on what the parts are, and what they are not."""
    factors, name = explanation.factors, explanation.factors.params_name
    if not explanation.parts:
        return [*_without_parts(factors), *_code_notes(explanation)]
    return [
        _order_text(explanation, found),
        _side_text(factors, "data", "data"),
        _side_text(factors, "params", name),
        *_code_notes(explanation),
        *_model_note(factors),
        SEED_NOTE,
    ]


def explanation_lines(explanation: Explanation, found: Comparison) -> list[str]:
    """The section of Markdown, for a terminal and a pull request."""
    table = []
    if explanation.parts:
        name = explanation.factors.params_name
        table = [
            f"| figure | difference | data | 95 % interval | | {name} | 95 % interval | |",
            "|---|---:|---:|---:|---|---:|---:|---|",
            *(_markdown_row(row) for row in rows(explanation)),
            "",
        ]
    return [f"## {TITLE}", "", *table, *(f"{markdown_text(note)}\n" for note in notes(explanation, found))]


def explanation_content(explanation: Explanation, found: Comparison) -> dict[str, object]:
    """What the section of the page shows."""
    shown = rows(explanation)
    cells = [cell for row in shown for cell in (row.data, row.params)]
    return {
        "title": TITLE,
        "rows": shown,
        "params_name": explanation.factors.params_name,
        "notes": notes(explanation, found),
        # The half of the scale that the intervals are drawn on.
        "widest": max((abs(end) for cell in cells for end in (cell.low, cell.high) if end is not None), default=1.0),
    }


def _without_parts(factors: Factors) -> list[str]:
    if factors.data_changed and factors.params_changed:
        return [
            "No figure was measured in all runs on the test images that they share, so there is nothing to explain."
        ]
    if factors.data_changed:
        return ["The params do not differ: all of the difference comes from the data, and from chance in training."]
    if factors.params_changed:
        return [
            f"The data do not differ: all of the difference comes from the {factors.params_name}, and from chance in "
            "training."
        ]
    return ["Neither data nor params differ: what differs comes from chance in training."]


def _order_text(explanation: Explanation, found: Comparison) -> str:
    before, after, name = found.before.run.name, found.after.run.name, explanation.factors.params_name
    if not explanation.both_orders:
        return (
            f"The data come first: their part is a run in between, with the data of {after} and the {name} of "
            f"{before}, less {before}. The part of the {name} is {after} less that run. In the other order the parts "
            "can be others; --both-orders trains a second run in between and gives the mean over both orders."
        )
    first = explanation.parts[0]
    last = first.data_last if first.data_last is not None else first.data_first
    return (
        f"Each part is the mean over two orders, measured with two runs in between. With the {name} of {before} the "
        f"data change {first.name} by {first.data_first:+.3f}, with the {name} of {after} by {last:+.3f}."
    )


def _side_text(factors: Factors, side: Side, what: str) -> str:
    keys = ", ".join(key for key, _, _ in factors.keys[side])
    if side == "data":
        return f"Data are the images, boxes, splits and records, and what made them: {keys or 'no param differs'}."
    return f"{what.capitalize()} are what came after the records: {keys or 'no param differs'}."


def _code_notes(explanation: Explanation) -> list[str]:
    code, found = explanation.factors.code, []
    if code is None:
        found.append(
            "Whether the code differs is not known, as a run has no dvc.lock; a run in between has the code of the run "
            "whose params it has, so the code would count with the params."
        )
    if code and code["params"]:
        found.append(
            f"The code that trains and measures differs too ({', '.join(code['params'])}). It counts with the params: "
            "a run in between has the code of the run whose params it has."
        )
    if code and code["data"]:
        found.append(f"The code that made the data differs too ({', '.join(code['data'])}). It counts with the data.")
    if explanation.other_code:
        found.append(
            f"Code was changed after the results were made and before they were committed "
            f"({', '.join(explanation.other_code)}). The run in between has the changed code, so what that does is in "
            "both parts."
        )
    return found


def _model_note(factors: Factors) -> list[str]:
    if not factors.reads_model_with_data:
        return []
    return ["validate reads model too: the data of each run were checked with the model of that run."]


def _row(parts: FigureParts) -> PartsRow:
    data, params = rounded_parts(parts.whole, (parts.data.change, parts.params.change))
    return PartsRow(parts.name, parts.whole, _cell(parts.data, data), _cell(parts.params, params))


def _cell(part: Part, change: float) -> PartCell:
    ends: Interval | tuple[None, None] = part.interval or (None, None)
    return PartCell(change, ends[0], ends[1], part.verdict)


def _markdown_row(row: PartsRow) -> str:
    cells: Sequence[str] = [f"{row.whole:+.3f}", *_cells(row.data), *_cells(row.params)]
    return f"| {markdown_text(row.name)} | {' | '.join(cells)} |"


def _cells(cell: PartCell) -> list[str]:
    ends = "-" if cell.low is None else f"{cell.low:+.3f} to {cell.high:+.3f}"
    return [f"{cell.change:+.3f}", ends, cell.verdict if cell.kind == "open" else f"**{cell.verdict}**"]
