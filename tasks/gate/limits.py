"""When the gate stops the run: a problem whose policy is to fail, or more dropped than params.yaml allows."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.dataset.dataset import Dataset, Problem
from tasks.dataset.problem_kinds import dropped_boxes, dropped_images, remedy
from tasks.errors import DataError
from tasks.gate.policy import Policy
from tasks.ground.text import printable

if TYPE_CHECKING:
    from tasks.params import ValidateParams

_SHOWN = 20


def refuse_problems(problems: Sequence[Problem], policy: Policy) -> None:
    """Stop where the policy is to fail for a kind of problem that was found.

    Raises:
        DataError: naming the first of them, each with its remedy.
    """
    grave = [problem for problem in problems if policy.stops(problem.kind)]
    if not grave:
        return
    usual = policy.on_problem == "fail" and not policy.single
    why = "validate.on_problem is fail" if usual else "validate.policy is to fail for them"
    lines = [f"{len(grave)} problems, and {why}: {_counted(grave)}"]
    lines += [printable(f"  {p.file}: {p.detail} ({p.kind}): {remedy(p)}") for p in grave[:_SHOWN]]
    lines += [f"  and {len(grave) - _SHOWN} more"] if len(grave) > _SHOWN else []
    raise DataError("\n".join(lines))


def refuse_large_losses(dataset: Dataset, params: "ValidateParams") -> None:
    """Stop where more images or boxes were dropped than `validate.max_dropped_fraction` allows, or none is left.

    Raises:
        DataError: with the kinds that most were dropped for.
    """
    counts = {
        "images": (len(dataset.images), dropped_images(dataset.problems), "dropped_image"),
        "boxes": (sum(len(image.classes) for image in dataset.images), dropped_boxes(dataset.problems), "dropped_box"),
    }
    for what, (stayed, lost, action) in counts.items():
        if stayed and lost <= params.max_dropped_fraction * (stayed + lost):
            continue
        worst = [p for p in dataset.problems if p.action == action]
        raise DataError(
            f"{lost} of {stayed + lost} {what} were dropped: {_counted(worst)}; at least one must stay, and "
            f"validate.max_dropped_fraction allows no more than {params.max_dropped_fraction:g} of them to go. "
            "Mend the data (docs/data-gate.md says how), or raise validate.max_dropped_fraction"
        )


def _counted(problems: Sequence[Problem]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in Counter(p.kind for p in problems).most_common(5)) or "none"
