"""The data gate beside the loop that people write by themselves (`bench.plain_loop`)."""

from pathlib import Path

from bench.processes import cost_of, in_turns, line, ratio
from bench.run_folder import prepare, stage
from tasks.formats.pascal_voc import voc_files


def compare_validation(data: Path, folder: Path, repeats: int) -> list[str]:
    """Lines for people: seconds, images a second, memory of both sides, and their ratio."""
    prepare(folder, data)
    stage(folder, "ingest")
    sides = {
        "plain": lambda: cost_of(["-m", "bench.plain_loop", str(data)], folder),
        "validate": lambda: stage(folder, "validate"),
        "ingest and validate": lambda: stage(folder, "ingest") + stage(folder, "validate"),
    }
    costs = in_turns(sides, repeats, "validation")
    images = len(voc_files(data))
    labels = {
        "plain": "plain loop: decodes, compares sizes",
        "validate": "validate: decodes, hashes twice, all checks",
        "ingest and validate": "ingest + validate",
    }
    rows = [line(labels[name], cost, images) for name, cost in costs.items()]
    ratios = [f"  {labels[name]}: {ratio(costs['plain'], costs[name])}" for name in list(sides)[1:]]
    return [f"validation: {images} annotated images of {data.name}", *rows, *ratios]
