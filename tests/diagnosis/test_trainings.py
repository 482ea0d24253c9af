"""What short trainings tell, with a stand-in for the devices; and one on the real CPU."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tasks.diagnosis.child import TrialError
from tasks.diagnosis.gpus import Gpu
from tasks.diagnosis.trainings import Trial, run_trial, training_findings
from tests.small_project import ROOT

GPU = Gpu(0, "A GPU", "GPU-ab", 24.0, (8, 9), "580.1")
ON_CPU = Trial(
    on_gpu=False,
    losses=[2.0, 1.8, 1.6, 1.5, 1.4],
    step_ms=[9000.0, 1000.0, 1000.0, 1000.0, 1000.0],
    weights="a",
    export_s=30.0,
    saved_model_mb=12.6,
    tflite_mb=11.5,
)
ON_GPU = replace(ON_CPU, on_gpu=True, step_ms=[5000.0, 40.0, 40.0, 40.0, 40.0], weights="b")
HALF = replace(ON_GPU, step_ms=[5000.0, 20.0, 20.0, 20.0, 20.0], losses=[2.02, 1.8, 1.6, 1.5, 1.4], weights="c")


class Devices:
    """What trials give, in the order in which they are asked for: CPU, GPU, GPU again, GPU with bfloat16."""

    def __init__(self, *trials: Trial | Exception) -> None:
        self.asked: list[tuple[int | None, str, bool]] = []
        self._trials = iter(trials)

    def __call__(self, gpu: int | None, precision: str, export: bool) -> Trial:
        self.asked.append((gpu, precision, export))
        trial = next(self._trials)
        if isinstance(trial, Exception):
            raise trial
        return trial


def finding_lines(gpus: list[Gpu], *trials: Trial | Exception) -> list[str]:
    return [str(finding) for finding in training_findings(gpus, Devices(*trials), lambda text: None)]


def test_a_cpu_trains_and_exports() -> None:
    devices = Devices(ON_CPU)
    heard: list[str] = []
    found = training_findings([], devices, heard.append)
    assert [str(finding) for finding in found] == [
        "  ok    CPU: 1000 ms a step, loss 2.000 to 1.400",
        "  ok    export in 30 s: SavedModel 12.6 MB, TFLite 11.5 MB",
    ]
    assert devices.asked == [(None, "float32", True)]
    assert heard == ["training 5 steps on the CPU, then exporting: about a minute on 2 cores"]


def test_a_model_without_a_tflite_form_exports_the_rest() -> None:
    _, export = finding_lines([], replace(ON_CPU, tflite_mb=None))
    assert export == "  ok    export in 30 s: SavedModel 12.6 MB"


def test_a_gpu_is_compared_with_the_cpu_with_itself_and_with_bfloat16() -> None:
    devices = Devices(ON_CPU, ON_GPU, ON_GPU, HALF)
    found = training_findings([GPU], devices, lambda text: None)
    assert [str(finding) for finding in found][2:] == [
        "  ok    GPU 0: 40 ms a step, loss 2.000 to 1.400, 25.0 times as fast as the CPU",
        "  ok    GPU 0: losses within 0.00% of the CPU's",
        "  ok    GPU 0: two trainings give the same weights, bit for bit",
        "  ok    GPU 0: bfloat16 2.00 times as fast as float32, losses within 1.00%",
    ]
    assert devices.asked[1:] == [(0, "float32", False), (0, "float32", False), (0, "bfloat16", False)]


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (
            [replace(ON_GPU, on_gpu=False)],
            "  FAIL  GPU 0: TensorFlow does not use it: run `make setup GPU=1`, or renew the driver",
        ),
        (
            [TrialError("CUDA_ERROR_OUT_OF_MEMORY (ended with 1)")],
            "  FAIL  GPU 0: 5 steps of training failed: CUDA_ERROR_OUT_OF_MEMORY (ended with 1)",
        ),
        (
            [replace(ON_GPU, losses=[2.0, float("nan"), 1.0, 1.0, 1.0]), ON_GPU, HALF],
            "  FAIL  GPU 0: 40 ms a step, loss 2.000 to 1.000, 25.0 times as fast as the CPU: "
            "the loss must fall; do not train on this device",
        ),
        (
            [replace(ON_GPU, losses=[3.0, 2.0, 1.9, 1.8, 1.7]), ON_GPU, HALF],
            "  FAIL  GPU 0: losses within 50.00% of the CPU's: do not trust this device",
        ),
        (
            [ON_GPU, replace(ON_GPU, weights="other", losses=[2.0, 1.8, 1.6, 1.5, 1.41]), HALF],
            "  note  GPU 0: two trainings differ (losses by 0.0071): a CPU repeats bit for bit",
        ),
        (
            [ON_GPU, ON_GPU, replace(HALF, losses=[3.0, 2.0, 1.9, 1.8, 1.7])],
            "  FAIL  GPU 0: bfloat16 2.00 times as fast as float32, losses within 50.00%: set train.precision: float32",
        ),
        (
            [ON_GPU, ON_GPU, replace(HALF, step_ms=[50.0] * 5)],
            "  note  GPU 0: bfloat16 0.80 times as fast as float32, losses within 1.00%: set train.precision: float32",
        ),
    ],
    ids=["not used", "crashes", "not finite", "another loss", "does not repeat", "bfloat16 is off", "bfloat16 is slow"],
)
def test_what_is_wrong_with_a_gpu_is_told(trials: list[Trial | Exception], said: str) -> None:
    assert said in finding_lines([GPU], ON_CPU, *trials)


def test_what_is_not_a_number_is_never_within_bounds() -> None:
    broken = replace(ON_GPU, losses=[float("nan")] * 5)
    assert not [
        line
        for line in finding_lines([GPU], ON_CPU, broken, broken, broken)[2:]
        if line.startswith("  ok") and "loss" in line
    ]


def test_a_gpu_that_is_left_out_or_broken_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    devices = Devices(ON_CPU)
    training_findings([GPU, Gpu(1, fault="GPU is lost")], devices, lambda text: None)
    assert len(devices.asked) == 1


def test_a_cpu_that_fails_ends_the_trials() -> None:
    assert finding_lines([GPU], TrialError("killed by signal 4")) == [
        "  FAIL  CPU: 5 steps of training and an export failed: killed by signal 4"
    ]


@pytest.fixture
def small_params(tmp_path: Path) -> Callable[..., Path]:
    def write(**train: object) -> Path:
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        params["train"] |= {"batch_size": 2, **train}
        path = tmp_path / "params.yaml"
        path.write_text(json.dumps(params))
        return path

    return write


@pytest.mark.slow
def test_two_real_trainings_on_the_cpu_are_equal_to_the_bit_and_one_exports(small_params: Callable[..., Path]) -> None:
    run = run_trial(small_params())
    first, again = run(None, "float32", True), run(None, "float32", False)
    assert not first.on_gpu
    assert first.losses == again.losses
    assert first.weights == again.weights
    assert first.losses[-1] < first.losses[0]
    assert first.saved_model_mb is not None
    assert first.tflite_mb is not None
    assert first.saved_model_mb > first.tflite_mb > 1
