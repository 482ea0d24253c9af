"""What the data gate found, what the policy was, and what became of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.artifacts.gate import GateCounts
from tasks.dataset.dataset import Problem
from tasks.dataset.problem_kinds import remedy
from tasks.gate.policy import Policy
from tasks.report_page.examples import OUTCOMES, Example
from tasks.report_page.page import number

_COUNTS = ("images", "boxes", "dropped_images", "dropped_boxes", "fixed_boxes")


def gate(
    metrics: GateCounts, problems: Sequence[Problem], policy: Policy, shown: Mapping[str, Sequence[Example]]
) -> dict[str, Any]:
    """The gate's counts, and a row for each kind of problem, the most frequent first, with its examples."""
    of_kind: dict[str, list[Problem]] = {}
    for problem in problems:
        of_kind.setdefault(problem.kind, []).append(problem)
    counts = {kind: len(found) for kind, found in of_kind.items()}
    counts.update(metrics.problems)
    kinds = [
        {
            "kind": kind,
            "count": count,
            "policy": policy.decision(kind),
            "outcomes": outcomes(of_kind.get(kind, [])),
            "remedy": remedy(of_kind[kind][0]) if kind in of_kind else "",
            "examples": list(shown.get(kind, [])),
            "more": count - sum(len(example.lines) + example.more for example in shown.get(kind, [])),
        }
        for kind, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        if count
    ]
    return {
        "counts": [(key.replace("_", " "), number(getattr(metrics, key))) for key in _COUNTS],
        "kinds": kinds,
        "outcomes": OUTCOMES,
    }


def outcomes(problems: Sequence[Problem]) -> dict[str, str]:
    """What became of problems: `{"dropped": "2 images, 1 box", "fixed": "", "kept": "3"}`, empty where none did.

    What is left out stands under "kept": it never was part of the data, so that nothing was lost.
    """
    counts = Counter(problem.action for problem in problems)
    said: dict[str, list[str]] = {outcome: [] for outcome in OUTCOMES}
    if left_out := counts["left_out"]:
        said["kept"].append(f"{left_out} left out")
    for action, count in counts.most_common():
        outcome, _, what = action.partition("_")
        if outcome in said:
            said[outcome].append(f"{count} {_plural(what, count)}".strip())
    return {outcome: ", ".join(parts) for outcome, parts in said.items()}


def _plural(what: str, count: int) -> str:
    if count == 1 or not what:
        return what
    return what + ("es" if what[-1] in "sx" else "s")
