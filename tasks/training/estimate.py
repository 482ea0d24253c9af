"""How long a training takes on this machine, said before its first step from a few timed ones.

Steps are timed on one real batch, and every variable gets its value back, bit for bit. What cannot be timed yet
(validations, the steps of a second phase) is reckoned from what was.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from tasks.artifacts.training import EstimateFigures
from tasks.ground.figures import duration_text
from tasks.ground.text import counted
from tasks.model.schedule import Phase
from tasks.training.progress import Progress

if TYPE_CHECKING:
    from tasks.params import TrainParams

# A run of fewer steps is over before one has read how long it takes.
LEAST_STEPS = 40
_TIMED_STEPS = 2
# As many batches as may be waiting ready-made, and as many as are timed then.
_READY_BATCHES, _TIMED_BATCHES = 3, 4
# Shares of a step's computing: a forward pass is about a third of it, and a detection has its decoding and NMS besides.
DETECTING = 0.4
# What the gradients of all layers add to a step that computes frozen layers anew, where nothing is known of these.
_UNFROZEN = 0.4
# Of the seconds that tracing a training step took: tracing the detections of a validation, and another phase's step.
_TRACING_DETECTION, _TRACING_NEXT = 0.6, 1.2


def step_seconds(step: Callable[[Any], dict[str, tf.Tensor]], batches: Any, variables: Iterable[tf.Variable]) -> float:
    """Seconds of a training step, with waiting for its batch; `variables`, all that `step` changes, keep their values.

    On a CPU, making a batch and computing with it share the cores; beside a GPU they run at the same time.
    """
    variables = list(variables)
    before = [variable.numpy() for variable in variables]
    iterator = iter(batches)
    batch = next(iterator)
    float(step(batch)["loss"])  # the first call optimises the graph
    computing = _seconds(lambda: float(step(batch)["loss"]), _TIMED_STEPS)
    for _ in range(_READY_BATCHES):
        next(iterator)
    waiting = _seconds(lambda: next(iterator), _TIMED_BATCHES)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return max(computing, waiting) if tf.config.list_physical_devices("GPU") else computing + waiting


class Timing(NamedTuple):
    """What was timed on this machine, in seconds.

    Attributes:
        step_s: a step of this phase.
        traced_s: tracing it.
        fill_s: computing the frozen layers' features of all images and copies; 0 where none are kept.
        image_s: of that, one image; 0 where none are kept.
        trunk_s: the frozen layers alone, for one image; 0 where no features are kept.
    """

    step_s: float
    traced_s: float
    fill_s: float = 0.0
    image_s: float = 0.0
    trunk_s: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """How long a training goes on.

    Attributes:
        steps: of each phase that is to come or to be ended, and the seconds of one.
        validations: how many are to come.
        validation_s: seconds of one.
        starting_s: seconds of tracing and filling that are still to come.
    """

    steps: list[tuple[int, float]]
    validations: int
    validation_s: float
    starting_s: float

    @property
    def training_s(self) -> float:
        """Seconds that count for `train.max_minutes`: steps and validations."""
        return sum(count * seconds for count, seconds in self.steps) + self.validations * self.validation_s

    @property
    def total_s(self) -> float:
        """All seconds from now to the end of the last step and validation."""
        return self.training_s + self.starting_s

    def text(self, fill_s: float) -> str:
        """`about 7 minutes on this machine (300 steps of 0.6 s, 3 validations of 10 s)`."""
        first, *rest = self.steps
        parts = [f"{counted(first[0], 'step')} of {first[1]:.2g} s", *(f"then {n} of about {s:.2g} s" for n, s in rest)]
        if self.validations:
            parts.append(f"{counted(self.validations, 'validation')} of {self.validation_s:.2g} s")
        frozen = f"; computing the frozen layers took {fill_s:.0f} s" if fill_s else ""
        return f"about {duration_text(self.total_s)} from here on this machine ({', '.join(parts)}){frozen}"


def forecast(phases: Sequence[Phase], step: int, timing: Timing, val_images: int) -> Forecast:
    """How long the training goes on after `step`, in the phase that `timing` is of and in those after it."""
    current, *later = [phase for phase in phases if phase.last > step]
    counts = [(current.last - step, timing.step_s)]
    starting_s = _TRACING_DETECTION * timing.traced_s if val_images else 0.0
    for phase in later:
        same = phase.params.freeze == current.params.freeze
        images = phase.params.batch_size
        # Without features: decoding, augmenting and the layers forward, which is what filling took, and backward.
        cached_s = images * (timing.image_s + 2 * timing.trunk_s)
        more_s = 0.0 if same else cached_s or _UNFROZEN * timing.step_s
        counts.append((phase.params.steps, timing.step_s + more_s))
        starting_s += _TRACING_NEXT * timing.traced_s + (timing.fill_s if same else 0.0)
    params = current.params
    validations = sum(_validations(phase, max(step, phase.first)) for phase in (current, *later)) if val_images else 0
    one_image_s = timing.image_s + DETECTING * timing.step_s / params.batch_size
    return Forecast(counts, validations, val_images * one_image_s, starting_s)


class Estimator:
    """Says once, before the first step of this process, how long it will take; and in the end, how long it took."""

    def __init__(self, phases: Sequence[Phase], val_images: int) -> None:
        """Estimate the training of `phases`, which validates on so many images."""
        self._phases, self._val_images = phases, val_images
        self._fill_s = self._image_s = 0.0
        self._announced: tuple[float, float] | None = None
        self._ended = 0.0

    def filled(self, seconds: float, entries: int) -> None:
        """Take note of how long the features of so many images and copies took."""
        self._fill_s, self._image_s = seconds, seconds / entries

    def is_due(self, progress: Progress) -> bool:
        """Whether an estimate is wanted before the next step: not of a run that was killed once it had been stopped."""
        ended = progress.stopped_by is not None
        return self._announced is None and not ended and self._phases[-1].last - progress.step >= LEAST_STEPS

    def announce(self, progress: Progress, step_s: float, traced_s: float, trunk_s: float) -> None:
        """Print how long it will take, and whether `train.max_minutes` ends it before."""
        cached = self._fill_s > 0
        timing = Timing(step_s, traced_s, self._fill_s, self._image_s, trunk_s if cached else 0.0)
        expected = forecast(self._phases, progress.step, timing, self._val_images)
        self._announced = (time.monotonic(), expected.total_s)
        print(f"train: {expected.text(self._fill_s)}", flush=True)
        limit = shortage(self._phases[0].params, progress, expected)
        if limit:
            print(f"train: {limit}", flush=True)

    def ended(self) -> None:
        """Take note of the time: the last step and its validation are over, for all that is known."""
        self._ended = time.monotonic()

    def figures(self) -> EstimateFigures | None:
        """Estimate and time taken until the end; None where there was no estimate."""
        if self._announced is None:
            return None
        start, seconds = self._announced
        return EstimateFigures(seconds=seconds, took_s=self._ended - start)


def shortage(params: "TrainParams", progress: Progress, expected: Forecast) -> str | None:
    """A sentence where `train.max_minutes` ends the training before its last step; None where it does not."""
    if params.max_minutes is None:
        return None
    left_s = max(params.max_minutes * 60 - progress.seconds, 0.0)
    if left_s >= expected.training_s:
        return None
    taken = f"train.recipe {params.recipe}" if params.recipe else "train.steps"
    return (
        f"train.max_minutes {params.max_minutes:g} is too short for {taken}, of which about "
        f"{left_s / expected.training_s:.0%} fits in: the learning rate will not have fallen to 0; take fewer steps, a "
        "quicker recipe, or more minutes"
    )


def _validations(phase: Phase, step: int) -> int:
    """How many there are in a phase after `step`."""
    every, last = phase.params.eval_every, phase.last
    return last // every - step // every + (last % every > 0)


def _seconds(action: Callable[[], Any], times: int) -> float:
    """Seconds of one of so many."""
    start = time.monotonic()
    for _ in range(times):
        action()
    return (time.monotonic() - start) / times
