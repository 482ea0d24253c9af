"""Short trainings on each device, and what they tell: whether it works, how fast, and whether it repeats."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tasks.diagnosis.child import TrialError, try_in_child
from tasks.diagnosis.finding import Finding
from tasks.diagnosis.gpus import Gpu, is_visible

STEPS = 5
_SECONDS = 1800.0
# Beyond that the devices do not compute the same: float32 sums in another order differ by far less over five steps.
_LOSS_TOLERANCE = 0.02
_BFLOAT16_TOLERANCE = 0.1


@dataclass(frozen=True)
class Trial:
    """What one short training gave.

    Attributes:
        on_gpu: whether TensorFlow had a GPU.
        losses, step_ms: of each step; the first step of a device takes longer.
        weights: the same where every bit of every weight is.
        export_s, saved_model_mb: of the export, where one was asked for.
        tflite_mb: of its TFLite file, where the model has such a form.
    """

    on_gpu: bool
    losses: list[float]
    step_ms: list[float]
    weights: str
    export_s: float | None = None
    saved_model_mb: float | None = None
    tflite_mb: float | None = None

    @property
    def median_ms(self) -> float:
        """A step's time, without the first."""
        return statistics.median(self.step_ms[1:])


# Trains on the GPU of that number, or on the CPU for None, in a precision, and exports if asked to.
RunTrial: TypeAlias = Callable[[int | None, str, bool], Trial]


def run_trial(params: Path) -> RunTrial:
    """Trials of the model in `params`, each in a process of its own."""

    def run(gpu: int | None, precision: str, export: bool) -> Trial:
        # The driver counts them by their place on the bus; CUDA would put the fastest first.
        visible = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "-1" if gpu is None else str(gpu)}
        arguments = [str(params), precision, str(STEPS), str(int(export))]
        return Trial(**try_in_child("tasks.diagnosis.trial", arguments, seconds=_SECONDS, environment=visible))

    return run


def training_findings(gpus: list[Gpu], run: RunTrial, tell: Callable[[str], None]) -> list[Finding]:
    """Try the CPU with an export, then each GPU; `tell` gets what is being done, as that takes a while."""
    tell(f"training {STEPS} steps on the CPU, then exporting: about a minute on 2 cores")
    try:
        cpu = run(None, "float32", True)
    except TrialError as error:
        return [Finding("FAIL", f"CPU: {STEPS} steps of training and an export failed", str(error))]
    tflite = "" if cpu.tflite_mb is None else f", TFLite {cpu.tflite_mb:.1f} MB"
    found = [
        _steps("CPU", cpu),
        Finding("ok", f"export in {cpu.export_s:.0f} s: SavedModel {cpu.saved_model_mb:.1f} MB{tflite}"),
    ]
    for gpu in gpus:
        if gpu.fault or not is_visible(gpu):
            continue
        tell(f"training on GPU {gpu.index}, three times {STEPS} steps")
        try:
            found += _gpu(gpu, cpu, run)
        except TrialError as error:
            found.append(Finding("FAIL", f"GPU {gpu.index}: {STEPS} steps of training failed", str(error)))
    return found


def _gpu(gpu: Gpu, cpu: Trial, run: RunTrial) -> list[Finding]:
    name = f"GPU {gpu.index}"
    first = run(gpu.index, "float32", False)
    if not first.on_gpu:
        return [Finding("FAIL", f"{name}: TensorFlow does not use it", "run `make setup GPU=1`, or renew the driver")]
    again, half = run(gpu.index, "float32", False), run(gpu.index, "bfloat16", False)
    return [
        _steps(name, first, f", {cpu.median_ms / first.median_ms:.1f} times as fast as the CPU"),
        _same_loss(name, first, cpu),
        _repeats(name, first, again),
        _bfloat16(name, half, first),
    ]


def _steps(name: str, trial: Trial, more: str = "") -> Finding:
    text = f"{name}: {trial.median_ms:.0f} ms a step, loss {trial.losses[0]:.3f} to {trial.losses[-1]:.3f}{more}"
    if all(math.isfinite(loss) for loss in trial.losses) and trial.losses[-1] < trial.losses[0]:
        return Finding("ok", text)
    return Finding("FAIL", text, "the loss must fall; do not train on this device")


def _same_loss(name: str, gpu: Trial, cpu: Trial) -> Finding:
    apart = _apart(gpu, cpu)
    text = f"{name}: losses within {apart:.2%} of the CPU's"
    return Finding("ok", text) if apart <= _LOSS_TOLERANCE else Finding("FAIL", text, "do not trust this device")


def _repeats(name: str, first: Trial, again: Trial) -> Finding:
    if first.weights == again.weights:
        return Finding("ok", f"{name}: two trainings give the same weights, bit for bit")
    return Finding(
        "note", f"{name}: two trainings differ (losses by {_apart(first, again):.2g})", "a CPU repeats bit for bit"
    )


def _bfloat16(name: str, half: Trial, full: Trial) -> Finding:
    apart, times = _apart(half, full), full.median_ms / half.median_ms
    text = f"{name}: bfloat16 {times:.2f} times as fast as float32, losses within {apart:.2%}"
    if apart > _BFLOAT16_TOLERANCE:
        return Finding("FAIL", text, "set train.precision: float32")
    return Finding("ok", text) if times >= 1.0 else Finding("note", text, "set train.precision: float32")


def _apart(one: Trial, other: Trial) -> float:
    """The largest relative difference of the losses of a step; infinite where one is not a number."""
    if not all(map(math.isfinite, (*one.losses, *other.losses))):
        return math.inf
    return max(abs(a - b) / max(abs(b), 1e-9) for a, b in zip(one.losses, other.losses, strict=True))
