"""What explains the difference between two runs: the parts that the data and the params have in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.comparison.between_key import Between
from tasks.comparison.factors import Factors
from tasks.comparison.run_between import BetweenResults, Runner, repro, results_between
from tasks.comparison.two_runs import Comparison, RunResults, factors_between, score_on
from tasks.metrics.decomposition import FigureParts, decompose
from tasks.metrics.matching import Matches


@dataclass(frozen=True)
class Explanation:
    """The parts of every figure's difference.

    Attributes:
        factors: what differs, by side.
        parts: of each figure; empty where there is none, and where only one side differs: all of the difference
            belongs to it.
        both_orders: whether the parts are means over both orders.
        other_code: code of the runs in between that was changed since the runs were made whose params they have.
    """

    factors: Factors
    parts: Sequence[FigureParts] = ()
    both_orders: bool = False
    other_code: Sequence[str] = ()


def needs_run_between(found: Comparison) -> bool:
    """Whether data and params both differ: else all of the difference belongs to one of them."""
    factors = factors_between(found)
    return factors.data_changed and factors.params_changed


def explain_difference(
    before: RunResults, after: RunResults, found: Comparison, *, both_orders: bool, root: Path, run: Runner = repro
) -> Explanation:
    """Measure the run in between, or both, and take the difference apart.

    All are measured on the test images that `before` and `after` share: that with the data of a run has its test split.

    Args:
        before: the first run of `found`.
        after: the second.
        found: their comparison.
        both_orders: make the run with old data and new params, too.
        root: the project's folder.
        run: runs the stages of a run in between.

    Raises:
        PipelineError: as `results_between` raises it.
    """
    factors = factors_between(found)
    if not needs_run_between(found):
        return Explanation(factors)
    # That with the data of a run has its test split: side 0 before, 1 after.
    orders = [(1, Between(data=after, params=before)), *([(0, Between(before, after))] if both_orders else [])]
    made = [(side, between, results_between(between, root, run)) for side, between in orders]
    scored = [_scored(found, side, between, results) for side, between, results in made]
    other_code = tuple(sorted({path for _, _, results in made for path in results.other_code}))
    return Explanation(factors, decompose(found.before.matches, found.after.matches, *scored), both_orders, other_code)


def _scored(found: Comparison, side: int, between: Between, results: BetweenResults) -> Matches:
    """The matches of a run in between on the shared test images."""
    own = RunResults(between.params.run, between.data.data, results.detections, 0.0)
    test = found.before.test
    return score_on(own, test.images, test.classes, [pair[side] for pair in found.shared.pairs]).matches
