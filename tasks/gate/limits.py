"""When the gate stops the run: a problem whose policy says fail, or more dropped or fixed than params.yaml allows."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.dataset.dataset import Dataset, Problem
from tasks.dataset.problem_kinds import dropped_boxes, dropped_images, mended_boxes, remedy
from tasks.errors import DataError
from tasks.gate.policy import Policy
from tasks.ground.text import printable

if TYPE_CHECKING:
    from tasks.params import ValidateParams

_MAX_LISTED = 20


def refuse_problems(problems: Sequence[Problem], policy: Policy) -> None:
    """Stop where the policy says fail for a kind of problem that was found.

    Raises:
        DataError: naming the first of them, each with its remedy.
    """
    stopping = [problem for problem in problems if policy.stops(problem.kind)]
    if not stopping:
        return
    by_default = policy.on_problem == "fail" and not policy.by_kind
    why = "validate.on_problem is fail" if by_default else "validate.policy says fail for them"
    lines = [f"{len(stopping)} problems, and {why}: {_counts_by_kind(stopping)}"]
    lines += [printable(f"  {p.file}: {p.detail} ({p.kind}): {remedy(p)}") for p in stopping[:_MAX_LISTED]]
    lines += [f"  and {len(stopping) - _MAX_LISTED} more"] if len(stopping) > _MAX_LISTED else []
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
    for what, (kept, dropped, action) in counts.items():
        if kept and dropped <= params.max_dropped_fraction * (kept + dropped):
            continue
        causes = [p for p in dataset.problems if p.action == action]
        raise DataError(
            f"{dropped} of {kept + dropped} {what} were dropped: {_counts_by_kind(causes)}; at least one must stay, "
            f"and validate.max_dropped_fraction allows to drop at most {params.max_dropped_fraction:g} of them. "
            "Fix the data (docs/data-gate.md explains how), or raise validate.max_dropped_fraction"
        )


def refuse_many_fixes(dataset: Dataset, params: "ValidateParams") -> None:
    """Stop where more of the boxes were mended than `validate.max_fixed_fraction` allows: one reason may be behind all.

    Raises:
        DataError: with the kinds that boxes were mended for.
    """
    boxes, fixed = sum(len(image.classes) for image in dataset.images), mended_boxes(dataset.problems)
    if fixed > params.max_fixed_fraction * boxes:
        causes = [p for p in dataset.problems if p.action == "fixed_box"]
        raise DataError(
            f"{fixed} of {boxes} boxes were cut at the edge of their image or had their corners swapped: "
            f"{_counts_by_kind(causes)}, such as {printable(causes[0].file)}: {printable(causes[0].detail)}; "
            f"validate.max_fixed_fraction allows {params.max_fixed_fraction:g} of them. Look whether the boxes are in "
            "the convention of their format and belong to these images (docs/data-gate.md), or raise "
            "validate.max_fixed_fraction"
        )


def _counts_by_kind(problems: Sequence[Problem]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in Counter(p.kind for p in problems).most_common(5)) or "none"
