"""Training: this pipeline's `train` stage beside the stock `object_detection.model_lib_v2.train_loop`.

Neither side validates where step time, start-up and whole runs are compared. Time to quality does: with its validations
counted in, it is how long `train` takes until its AP50 is that of the stock loop's last checkpoint.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.processes import in_turns, ratio, spread
from bench.training_runs import Run, TrainingFolder

FREEZES = ("4", "8", "backbone", "heads-only")
# Enough for a step's time, which does not depend on the schedule of the learning rate that ends with them.
_STEPS_WHEN_FROZEN = 100
_EVAL_EVERY = 25


def compare_training(data: Path | None, folder: Path, repeats: int, *, steps: int, freezes: Sequence[str]) -> list[str]:
    """Lines for people: a step, start-up, whole runs, memory and time to quality of both sides, and their ratios."""
    shared = TrainingFolder(folder, data, steps)
    frozen = _frozen_sides(shared, min(steps, _STEPS_WHEN_FROZEN), freezes)
    eval_every = min(_EVAL_EVERY, max(1, steps // 2))
    sides: dict[str, Callable[[], Run]] = {
        "stock train_loop": shared.stock,
        "train": lambda: shared.ours("plain", {"freeze": "none"}, validating=False),
        "train with validation": lambda: shared.ours("validating", {"eval_every": eval_every}, validating=True),
        **frozen,
    }
    runs = in_turns(sides, repeats, "train", warm_up=False)
    stock, plain, validating = (runs.pop(name) for name in list(sides)[:3])
    params = shared.params
    return [
        f"train: {params.model.name}, {shared.images} training and {shared.val_images} validation images of "
        f"{data.name if data else 'the drawn sample'}, batch {params.train.batch_size}, {steps} steps, both sides from "
        f"the same weights ({params.checkpoint.source})",
        _row("stock train_loop", stock, whole=True),
        _row("train", plain, whole=True),
        f"  train: a step {_times(stock, plain, _step)}, the first step {_times(stock, plain, _first_step)}",
        f"  train: start to end {ratio([run.cost for run in stock], [run.cost for run in plain])}",
        *quality_lines(stock, validating, eval_every),
        *(
            f"{_row(name, frozen_runs)}; a step {_times(stock, frozen_runs, _step)}"
            for name, frozen_runs in runs.items()
        ),
    ]


def _frozen_sides(shared: TrainingFolder, steps: int, freezes: Sequence[str]) -> dict[str, Callable[[], Run]]:
    sides: dict[str, Callable[[], Run]] = {}
    for freeze in freezes:
        for use, count in (("off", steps), ("auto", shared.steps_to_cache(steps))):
            cache = shared.params.train.cache.model_dump() | {"use": use}
            train = {"freeze": int(freeze) if freeze.isdecimal() else freeze, "cache": cache, "steps": count}
            name = f"train, freeze {freeze}, cache {'off' if use == 'off' else 'on'} ({count} steps)"
            sides[name] = partial(shared.ours, f"{freeze}-{use}", train, validating=False)
    return sides


def quality_lines(stock: Sequence[Run], ours: Sequence[Run], eval_every: int) -> list[str]:
    """The quality of the stock loop's last checkpoints, and how long `ours` took to validate at it, turn by turn."""
    wanted = [run.scores[-1] for run in stock]
    reached = [
        (seconds, first)
        for (seconds, target), run in zip(wanted, ours, strict=True)
        if (first := next((when for when, ap50 in run.scores if ap50 >= target), None)) is not None
    ]
    lines = [
        f"  quality: AP50 {spread([ap50 for _, ap50 in wanted], '.3f')} of the stock loop's last checkpoint, as train "
        f"scores its own, after {spread([seconds for seconds, _ in wanted], '.1f')} s and no validation",
        f"  train with a validation every {eval_every} steps (freeze as in params.yaml): best AP50 "
        f"{spread([max(ap50 for _, ap50 in run.scores) for run in ours], '.3f')} in "
        f"{spread([run.cost.seconds for run in ours], '.1f')} s; that of stock in {len(reached)} of {len(ours)} turns",
    ]
    if reached:
        after, times = [first for _, first in reached], [seconds / first for seconds, first in reached]
        lines[-1] += f", after {spread(after, '.1f')} s, {spread(times)} times as fast"
    return lines


def _row(name: str, runs: Sequence[Run], *, whole: bool = False) -> str:
    row = f"  {name:<48} {spread([_step(run) for run in runs], '.3f')} s/step, first step ended after "
    row += f"{spread([_first_step(run) for run in runs], '.1f')} s, "
    if whole:
        row += f"start to end {spread([run.cost.seconds for run in runs], '.1f')} s, "
    return row + f"{spread([run.cost.peak_mb for run in runs], '.0f')} MB"


def _times(stock: Sequence[Run], ours: Sequence[Run], of: Callable[[Run], float]) -> str:
    return f"{spread([of(a) / of(b) for a, b in zip(stock, ours, strict=True)])} times as fast"


def _step(run: Run) -> float:
    return run.step


def _first_step(run: Run) -> float:
    return run.first_step
