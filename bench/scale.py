"""How time and memory of the stages up to the records grow with the number of images."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bench.generated import generate
from bench.processes import Cost
from bench.run_folder import STAGES, prepare, stage


def measure_scale(sizes: Sequence[int], folder: Path) -> list[str]:
    """Lines for people: for each size and stage seconds and peak memory, and how both grow from size to size."""
    lines = ["scale: generated images of 320 x 240 px with 1 to 5 boxes"]
    totals: list[tuple[int, Cost]] = []
    for count in sizes:
        data, run = folder / f"images-{count}", folder / f"run-{count}"
        if not data.is_dir():
            generate(data, count)
        prepare(run, data)
        costs = {}
        for name in STAGES:
            costs[name] = stage(run, name)
            print(
                f"  {count} images: {name} took {costs[name].seconds:.1f} s, {costs[name].peak_mb:.0f} MB", flush=True
            )
        total = costs["ingest"] + costs["validate"] + costs["split"] + costs["records"]
        by_stage = ", ".join(f"{name} {cost.seconds:.1f} s {cost.peak_mb:.0f} MB" for name, cost in costs.items())
        lines.append(
            f"  {count:>7} images: {total.seconds:.1f} s, {count / total.seconds:.0f} images/s, "
            f"at most {total.peak_mb:.0f} MB ({by_stage})"
        )
        totals.append((count, total))
    return lines + [_growth(a, b) for a, b in pairwise(totals)]


def _growth(a: tuple[int, Cost], b: tuple[int, Cost]) -> str:
    (few, before), (many, after) = a, b
    clock, processor = after.seconds / before.seconds, after.cpu_seconds / before.cpu_seconds
    memory = after.peak_mb / before.peak_mb
    times = f"{clock:.1f} times the time ({processor:.1f} in processor time), {memory:.1f} times the memory"
    return f"  {few} to {many}, {many / few:.0f} times as many: {times}"
