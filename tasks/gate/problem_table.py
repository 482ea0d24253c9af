"""Problems as a table for the terminal: the worst first, each with what was done and which policy decided it."""

from collections import Counter
from collections.abc import Sequence

from tasks.dataset.dataset import Problem
from tasks.gate.policy import Policy

_WORST_FIRST = ("dropped", "fixed", "kept", "left")


def problem_table(problems: Sequence[Problem], policy: Policy) -> str:
    """A line for each kind and what was done about it: first what was dropped, then what was fixed, then the rest."""
    if not problems:
        return "no problems found"
    counts = Counter((problem.kind, problem.action) for problem in problems)
    rows = [("problem", "count", "what was done", "policy")]
    rows += [
        (kind, str(count), action.replace("_", " "), _decision(kind, policy))
        for (kind, action), count in sorted(counts.items(), key=lambda row: (_rank(row[0][1]), -row[1], row[0]))
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f"{kind:<{widths[0]}}  {count:>{widths[1]}}  {done:<{widths[2]}}  {decision}".rstrip()
        for kind, count, done, decision in rows
    ]
    return "\n".join([*lines, "docs/data-gate.md explains each kind; the report shows examples"])


def _rank(action: str) -> int:
    first = action.partition("_")[0]
    return _WORST_FIRST.index(first) if first in _WORST_FIRST else len(_WORST_FIRST)


def _decision(kind: str, policy: Policy) -> str:
    action, source = policy.decision(kind)
    return f"{action} ({source})" if action else ""
