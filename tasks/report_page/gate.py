"""What the data gate found in the data, what it did about it, and where that was set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.artifacts.gate import GateCounts
from tasks.dataset.dataset import Problem
from tasks.dataset.problem_kinds import Action, policy_source, remedy
from tasks.ground.text import counted
from tasks.report_page.examples import OUTCOMES, Example


@dataclass(frozen=True)
class KindRow:
    """One kind of problem.

    Attributes:
        kind: its name.
        count: how many problems of it there are.
        set_by: what decided what is done about them; empty for kinds from elsewhere.
        outcomes: see `count_outcomes`.
        remedy: what a person can do; empty where no problem of the kind is recorded.
        examples: a few of them.
        more: how many problems are not among the examples.
    """

    kind: str
    count: int
    set_by: str
    outcomes: dict[str, str]
    remedy: str
    examples: list[Example]
    more: int


@dataclass(frozen=True)
class GateSection:
    """The counts by name, and the kinds of problems, the most frequent first."""

    counts: list[tuple[str, int | None]]
    kinds: list[KindRow]
    outcomes: tuple[str, ...] = OUTCOMES

    @property
    def picture_bytes(self) -> int:
        """How many bytes of the page the examples' pictures take."""
        return sum(len(example.picture) for kind in self.kinds for example in kind.examples)


def gate_section(
    counts: GateCounts,
    problems: Sequence[Problem],
    on_problem: Action,
    policy: Mapping[str, Action],
    examples: Mapping[str, Sequence[Example]],
) -> GateSection:
    """What the gate counted, and a row for each kind of problem; `on_problem` and `policy` as in `validate`."""
    of_kind: dict[str, list[Problem]] = {}
    for problem in problems:
        of_kind.setdefault(problem.kind, []).append(problem)
    count_of = {kind: len(own) for kind, own in of_kind.items()} | counts.problems
    kinds = [
        KindRow(
            kind=kind,
            count=count,
            set_by=policy_source(kind, on_problem, policy),
            outcomes=count_outcomes(of_kind.get(kind, [])),
            remedy=remedy(of_kind[kind][0]) if kind in of_kind else "",
            examples=list(examples.get(kind, [])),
            more=count - sum(len(example.lines) + example.more for example in examples.get(kind, [])),
        )
        for kind, count in sorted(count_of.items(), key=lambda entry: (-entry[1], entry[0]))
        if count
    ]
    return GateSection(
        [
            ("images", counts.images),
            ("boxes", counts.boxes),
            ("dropped images", counts.dropped_images),
            ("dropped boxes", counts.dropped_boxes),
            ("fixed boxes", counts.fixed_boxes),
        ],
        kinds,
    )


def count_outcomes(problems: Sequence[Problem]) -> dict[str, str]:
    """What was done about problems: `{"dropped": "2 images, 1 box", "fixed": "", "kept": "3"}`, empty where none was.

    Objects that were left out stand under "kept": they never were part of the data, so nothing was lost.
    """
    counts = Counter(problem.action for problem in problems)
    words: dict[str, list[str]] = {outcome: [] for outcome in OUTCOMES}
    if left_out := counts["left_out"]:
        words["kept"].append(f"{left_out} left out")
    for action, count in counts.most_common():
        outcome, _, what = action.partition("_")
        if outcome in words:
            words[outcome].append(counted(count, what) if what else str(count))
    return {outcome: ", ".join(own) for outcome, own in words.items()}
