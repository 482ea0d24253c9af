"""What is done about each kind of problem: `validate.on_problem` for all, `validate.policy` for single kinds."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.dataset.problem_kinds import KINDS, Action, policy_source
from tasks.errors import ParamsError


@dataclass(frozen=True)
class Policy:
    """The action for every kind of problem; an unknown kind, or an action it does not have, raises `ParamsError`.

    Attributes:
        on_problem: `fix`, `drop` or `fail`.
        by_kind: the actions of kinds that differ from it.
    """

    on_problem: Action
    by_kind: Mapping[str, Action]

    def __post_init__(self) -> None:
        for name, action in self.by_kind.items():
            kind = KINDS.get(name)
            if kind is None:
                near = difflib.get_close_matches(name, KINDS, n=1)
                meant = f"; did you mean {near[0]}?" if near else "; docs/data-gate.md lists them"
                raise ParamsError(f"validate.policy.{name}: no such kind of problem{meant}")
            if action not in kind.actions:
                raise ParamsError(
                    f"validate.policy.{name}: not possible: {action}; choose from {', '.join(kind.actions)}"
                )

    def action(self, name: str) -> Action:
        """What is done about problems of the kind `name`; of kinds that stop the pipeline, what is done before."""
        actions = KINDS[name].actions
        chosen = self.by_kind.get(name, "fail")
        if chosen != "fail":
            return chosen
        if self.on_problem == "drop" and KINDS[name].fixable_box:
            return "drop"
        return next(action for action in actions if action != "fail")

    def decision(self, name: str) -> tuple[str, str]:
        """The action for the kind `name`, and what set it (a params key, `default`); both empty for unknown kinds."""
        if name not in KINDS:
            return "", ""
        action = "fail" if self.stops(name) else self.action(name)
        return action, policy_source(name, self.on_problem, self.by_kind)

    def stops(self, name: str) -> bool:
        """Whether problems of this kind stop the pipeline; a kind from elsewhere does under `fail`."""
        if name in self.by_kind:
            return self.by_kind[name] == "fail"
        kind = KINDS.get(name)
        if kind is None:
            return self.on_problem == "fail"
        return kind.actions[0] == "fail" or (self.on_problem == "fail" and kind.stops_on_fail)
