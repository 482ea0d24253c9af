"""What follows from the figures of the freeze study, by rule: other figures give other sentences."""

from collections.abc import Sequence

from studies.chance import over_seeds
from studies.freeze.figures import ModelFigures, Row
from tasks.metrics.differences import verdict_of


def conclusion(figures: ModelFigures) -> list[str]:
    """The sentences that follow from the rows of one model."""
    rows = figures.rows
    base, others = rows[0], [row for row in rows[1:] if row.frozen]
    sentences = [_on_audit(rows, len(others))]
    if others:
        steps = ", ".join(f"{row.arm} {row.times[0]:.2f} ({row.times[1]:.2f} to {row.times[2]:.2f})" for row in others)
        sentences.append(
            f"A step is shorter than with nothing frozen by these factors, median and range over seeds: {steps}."
        )
    sentences += _on_cache([row for row in others if row.uncached_s])
    sentences += _on_repeats(figures)
    for verdict in ("better", "worse", "can't tell"):
        arms = [row.arm for row in others if row.verdict == verdict]
        if arms:
            sentences.append(f"After equal steps, against {base.arm}: {', '.join(arms)} {_in_words(verdict)}.")
    sentences.append(_on_equal_time(figures, base, others))
    return sentences


def _on_audit(rows: Sequence[Row], arms: int) -> str:
    moved = [row.arm for row in rows if row.max_change != 0]
    if moved:
        return f"Frozen variables moved in {', '.join(moved)}: these runs are not what they say."
    return f"Nothing that was frozen moved: the largest change of any frozen variable is 0 in all {arms} arms."


def _on_cache(timed: Sequence[Row]) -> list[str]:
    """How much of the saving comes from freezing itself, and how much from the cache, where both were measured."""
    if not timed:
        return []
    factors = {row.arm: (row.alone or 0.0, (row.uncached_s or 0.0) / row.step_s) for row in timed}
    pairs = ", ".join(f"{arm} {alone:.2f} and {cached:.2f}" for arm, (alone, cached) in factors.items())
    by_cache = [arm for arm, (alone, cached) in factors.items() if cached > alone]
    by_freezing = [arm for arm in factors if arm not in by_cache]
    larger = [
        f"{cause} gives the larger part in {', '.join(arms)}"
        for cause, arms in (("the cache", by_cache), ("freezing itself", by_freezing))
        if arms
    ]
    longer = " A factor below 1 is a step that got longer." if any(min(pair) < 1 for pair in factors.values()) else ""
    return [
        f"Freezing without the cache, and then the cache, make a step shorter by these factors: {pairs}; "
        f"{', '.join(larger)}.{longer} Without the cache one run was measured of each."
    ]


def _on_repeats(figures: ModelFigures) -> list[str]:
    sentences = []
    for one, other, equal in figures.repeats:
        times = sorted(row.step_s for row in figures.rows if row.arm in (one, other))
        losses = "every loss is equal to the last bit" if equal else "their losses differ"
        sentences.append(
            f"{one} and {other} are the same run twice: {losses}; their step times differ by a factor of "
            f"{times[1] / times[0]:.2f}, which is the machine's doing."
        )
    return sentences


def _on_equal_time(figures: ModelFigures, base: Row, others: Sequence[Row]) -> str:
    best = max([base, *others], key=lambda row: row.equal_time)
    level = [row.arm for row in [base, *others] if row is not best and not _is_above(figures, best.arm, row.arm)]
    sentence = (
        f"After equal time ({figures.seconds:.0f} s), {best.arm} has the highest mean validation mAP "
        f"({best.equal_time:.3f})"
    )
    if level:
        return f"{sentence}, but {len(figures.runs[base.arm])} seeds do not set it apart from {', '.join(level)}."
    return f"{sentence}, above every other arm with an interval over seeds that does not hold zero."


def _is_above(figures: ModelFigures, best: str, other: str) -> bool:
    pairs = zip(figures.runs[best], figures.runs[other], strict=True)
    seconds = figures.seconds
    difference = over_seeds([one.mean_ap_after(seconds) - two.mean_ap_after(seconds) for one, two in pairs])
    return verdict_of(difference) == "better"


def _in_words(verdict: str) -> str:
    ends = "with an interval of the difference that does not hold zero"
    return {
        "better": f"found better, {ends}",
        "worse": f"found worse, {ends}",
        "can't tell": "cannot be told from it by these test images and seeds",
    }[verdict]
