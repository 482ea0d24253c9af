"""What is said of GPUs, with a stand-in for the driver."""

import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.diagnosis.gpus import Gpu, gpu_findings, is_visible, known_gpus

MODERN = Gpu(0, "A GPU", "GPU-ab", 24.0, (8, 9), "580.1")


class NoDriverError(Exception):
    """What pynvml raises where there is no driver."""


def driver(*, there: bool) -> SimpleNamespace:
    """pynvml, as NVIDIA's driver answers through it."""
    state = SimpleNamespace(open=False, NVMLError=NoDriverError)

    def start() -> None:
        if not there:
            raise NoDriverError("Driver Not Loaded")
        state.open = True

    answers = {
        "nvmlInit": start,
        "nvmlShutdown": lambda: setattr(state, "open", False),
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda handle: f"GPU of {handle}",
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=24 * 10**9),
        "nvmlDeviceGetCudaComputeCapability": lambda handle: (8, 9),
        "nvmlSystemGetDriverVersion": lambda: "580.1",
    }
    vars(state).update(answers)
    return state


def test_the_driver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = driver(there=True)
    monkeypatch.setitem(sys.modules, "pynvml", stand_in)
    assert known_gpus() == [Gpu(i, f"GPU of {i}", f"GPU-{i}", 24.0, (8, 9), "580.1") for i in range(2)]
    assert not stand_in.open


def test_without_a_driver_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(there=False))
    assert known_gpus() == []


def test_a_gpu_that_has_no_memory_of_its_own_or_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int) -> None:
        raise NoDriverError("Not Supported" if handle == 0 else "GPU is lost")

    stand_in = driver(there=True)
    stand_in.nvmlDeviceGetMemoryInfo = refuse
    stand_in.nvmlDeviceGetName = lambda handle: refuse(handle) if handle else "A shared one"
    monkeypatch.setitem(sys.modules, "pynvml", stand_in)
    shared, lost, *_ = (str(finding) for finding in gpu_findings(known_gpus()))
    assert shared == "  ok    GPU 0: A shared one, the machine's memory, capability 8.9, driver 580.1"
    assert lost == "  FAIL  GPU 1 does not answer (GPU is lost): start the machine anew"


@pytest.mark.parametrize(
    ("setting", "seen"), [("0", True), ("1, 0", True), ("GPU-a", True), ("1", False), ("", False), ("-1", False)]
)
def test_what_the_user_has_left_out_is_not_tried(setting: str, seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert is_visible(MODERN) == seen
    assert ("left out by CUDA_VISIBLE_DEVICES" in str(gpu_findings([MODERN])[0])) != seen


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """CUDA's wheels: installed where the test asks for True."""

    def version(name: str) -> str:
        if not request.param:
            raise metadata.PackageNotFoundError(name)
        return "9.28"

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.parametrize("cuda", [True], indirect=True)
@pytest.mark.usefixtures("cuda")
def test_a_gpu_is_told_with_what_matters() -> None:
    assert [str(finding) for finding in gpu_findings([MODERN])] == [
        "  ok    GPU 0: A GPU, 24.0 GB, capability 8.9, driver 580.1"
    ]


@pytest.mark.parametrize("cuda", [False], indirect=True)
@pytest.mark.usefixtures("cuda")
def test_missing_cuda_libraries_are_told() -> None:
    assert str(gpu_findings([MODERN])[-1]).endswith("are not installed: run `make setup GPU=1`")


@pytest.mark.parametrize("cuda", [True], indirect=True)
@pytest.mark.usefixtures("cuda")
def test_a_gpu_too_old_for_the_wheel_is_told() -> None:
    (finding,) = gpu_findings([replace(MODERN, capability=(5, 2))])
    assert finding.state == "FAIL"
    assert "it needs 6.0 or newer" in finding.remedy


@pytest.mark.parametrize(
    ("vendor", "kind", "state"),
    [("0x10de", "0x030000", "FAIL"), ("0x10de", "0x020000", "note"), ("0x8086", "0x030000", "note")],
    ids=["NVIDIA's GPU", "NVIDIA's network card", "Intel's GPU"],
)
def test_a_gpu_without_a_driver_is_seen_on_the_bus(tmp_path: Path, vendor: str, kind: str, state: str) -> None:
    device = tmp_path / "0000:01:00.0"
    device.mkdir()
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{kind}\n")
    (finding,) = gpu_findings([], tmp_path)
    assert finding.state == state
    assert ("install NVIDIA's driver" in finding.remedy) == (state == "FAIL")


def test_a_machine_without_a_bus_is_no_fault(tmp_path: Path) -> None:
    assert [finding.state for finding in gpu_findings([], tmp_path / "none")] == ["note"]
