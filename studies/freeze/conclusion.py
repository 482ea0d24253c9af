"""What follows from the figures of the freeze study, by rule: other figures give other sentences."""

from collections.abc import Sequence

from studies.chance import over_seeds
from studies.freeze.figures import ModelFigures, Row
from tasks.metrics.differences import verdict_of


def conclusion(found: ModelFigures) -> list[str]:
    """Sentences that follow from the rows by rule, so that other figures give others."""
    rows = found.rows
    base, others = rows[0], [row for row in rows[1:] if row.frozen]
    moved = [row.arm for row in rows if row.max_change != 0]
    said = [
        f"Nothing that was frozen moved: the largest change of any frozen variable is 0 in all {len(others)} arms."
        if not moved
        else f"Frozen variables moved in {', '.join(moved)}: these runs are not what they say."
    ]
    if others:
        steps = ", ".join(f"{row.arm} {row.times[0]:.2f} ({row.times[1]:.2f} to {row.times[2]:.2f})" for row in others)
        said.append(
            f"A step is shorter than with nothing frozen by these factors, median and range over seeds: {steps}."
        )
    said += _of_cache([row for row in others if row.uncached_s])
    for one, other, equal in found.repeats:
        times = sorted(row.step_s for row in rows if row.arm in (one, other))
        said.append(
            f"{one} and {other} are the same run twice: "
            + ("every loss is equal to the last bit" if equal else "their losses differ")
            + f"; their step times differ by a factor of {times[1] / times[0]:.2f}, which is the machine's doing."
        )
    for verdict in ("better", "worse", "can't tell"):
        arms = [row.arm for row in others if row.verdict == verdict]
        if arms:
            said.append(f"After equal steps, against {base.arm}: {', '.join(arms)} {_says(verdict)}.")
    said.append(_at_equal_time(found, base, others))
    return said


def _of_cache(timed: Sequence[Row]) -> list[str]:
    """How much of the saving is freezing's own, and how much the cache's, where steps without it were measured."""
    if not timed:
        return []
    factors = {row.arm: (row.alone or 0.0, (row.uncached_s or 0.0) / row.step_s) for row in timed}
    told = ", ".join(f"{arm} {alone:.2f} and {cached:.2f}" for arm, (alone, cached) in factors.items())
    by_cache = [arm for arm, (alone, cached) in factors.items() if cached > alone]
    by_freezing = [arm for arm in factors if arm not in by_cache]
    larger = [
        f"{what} gives the larger part in {', '.join(arms)}"
        for what, arms in (("the cache", by_cache), ("freezing itself", by_freezing))
        if arms
    ]
    longer = " A factor below 1 is a step that got longer." if any(min(pair) < 1 for pair in factors.values()) else ""
    return [
        f"Freezing without the cache, and then the cache, make a step shorter by these factors: {told}; "
        f"{', '.join(larger)}.{longer} Without the cache one run was measured of each."
    ]


def _at_equal_time(found: ModelFigures, base: Row, others: Sequence[Row]) -> str:
    best = max([base, *others], key=lambda row: row.equal_time)
    level = [row.arm for row in [base, *others] if row is not best and not _above(found, best.arm, row.arm)]
    told = (
        f"After equal time ({found.seconds:.0f} s), {best.arm} has the highest mean validation mAP "
        f"({best.equal_time:.3f})"
    )
    if level:
        return f"{told}, but {len(found.runs[base.arm])} seeds do not set it apart from {', '.join(level)}."
    return f"{told}, above every other arm with an interval over seeds that does not hold zero."


def _above(found: ModelFigures, best: str, other: str) -> bool:
    apart = over_seeds(
        [
            one.at(found.seconds) - two.at(found.seconds)
            for one, two in zip(found.runs[best], found.runs[other], strict=True)
        ]
    )
    return verdict_of(apart) == "better"


def _says(verdict: str) -> str:
    ends = "with an interval of the difference that does not hold zero"
    return {
        "better": f"found better, {ends}",
        "worse": f"found worse, {ends}",
        "can't tell": "cannot be told from it by these test images and seeds",
    }[verdict]
