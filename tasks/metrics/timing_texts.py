"""What card and report say of times that contradict each other."""

from tasks.artifacts.speed import ModelSpeed, Speed

# Repeated runs on an idle machine differ by less.
_TOLERANCE = 1.05
RUN_AGAIN = "measured on a busy machine, it seems: run evaluate again when nothing else runs"


def timing_remark(speed: Speed) -> str:
    """A sentence on the models whose times contradict each other; empty where none do."""
    slower = [name for name, model in speed.models.items() if _is_slower_with_two_threads(model)]
    faster = [name for name, model in speed.models.items() if _is_faster_than_its_runtime(model)]
    found = []
    if slower:
        found.append(f"2 threads are slower than 1 ({', '.join(slower)})")
    if faster:
        found.append(f"the whole is faster than the runtime alone ({', '.join(faster)})")
    return f"{' and '.join(found)}: {RUN_AGAIN}" if found else ""


def _is_slower_with_two_threads(model: ModelSpeed) -> bool:
    one, two = model.by_threads.get(1), model.by_threads.get(2)
    return one is not None and two is not None and two.p50_ms > _TOLERANCE * one.p50_ms


def _is_faster_than_its_runtime(model: ModelSpeed) -> bool:
    """Whether all of the work, done with all cores, took less time than the runtime with any number of threads."""
    if model.latency_ms is None or not model.by_threads:
        return False
    return _TOLERANCE * model.latency_ms < min(each.p50_ms for each in model.by_threads.values())
