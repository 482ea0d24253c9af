"""The GPUs that the driver knows, before TensorFlow is asked."""

import os
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from tasks.diagnosis.finding import Finding

_PCI = Path("/sys/bus/pci/devices")
_NVIDIA, _DISPLAY = "0x10de", "0x03"
# The oldest that TensorFlow 2.21's wheel has code for (its build information lists sm_60).
_OLDEST = (6, 0)


@dataclass(frozen=True)
class Gpu:
    """One GPU, as the driver tells it.

    Attributes:
        index: by its place on the bus, from 0.
        name, uuid, driver: as the driver has them.
        memory_gb: in 10^9 bytes; None where it shares the machine's.
        capability: CUDA's compute capability, such as (8, 9).
        fault: what the driver said in place of an answer.
    """

    index: int
    name: str = ""
    uuid: str = ""
    memory_gb: float | None = None
    capability: tuple[int, int] = (0, 0)
    driver: str = ""
    fault: str = ""


def known_gpus() -> list[Gpu]:
    """Those of the NVIDIA driver; none without it."""
    import pynvml  # noqa: PLC0415 - where the driver's library is missing, not even its import is to be relied on

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_ask(pynvml, i) for i in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _ask(nvml: Any, index: int) -> Gpu:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        gpu = Gpu(
            index=index,
            name=str(nvml.nvmlDeviceGetName(handle)),
            uuid=str(nvml.nvmlDeviceGetUUID(handle)),
            capability=tuple(nvml.nvmlDeviceGetCudaComputeCapability(handle)),
            driver=str(nvml.nvmlSystemGetDriverVersion()),
        )
    except nvml.NVMLError as error:
        return Gpu(index, fault=str(error))
    try:
        return replace(gpu, memory_gb=nvml.nvmlDeviceGetMemoryInfo(handle).total / 1e9)
    except nvml.NVMLError:
        return gpu


def is_visible(gpu: Gpu) -> bool:
    """Whether CUDA_VISIBLE_DEVICES, where the user has set it, names the GPU by its number or the start of its UUID."""
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    if setting is None:
        return True
    return any(
        name == str(gpu.index) or (name.startswith("GPU-") and gpu.uuid.startswith(name))
        for name in setting.replace(" ", "").split(",")
    )


def gpu_findings(gpus: list[Gpu], pci: Path = _PCI) -> list[Finding]:
    """What the driver says of each, and what is missing for TensorFlow to use it."""
    if not gpus:
        if _has_nvidia_device(pci):
            return [
                Finding("FAIL", "there is an NVIDIA GPU, but its driver does not answer", "install NVIDIA's driver")
            ]
        return [Finding("note", "no NVIDIA GPU: training runs on the CPU")]
    found = [_finding(gpu) for gpu in gpus]
    if not _has_cuda():
        found.append(Finding("FAIL", "TensorFlow's CUDA libraries are not installed", "run `make setup GPU=1`"))
    return found


def _finding(gpu: Gpu) -> Finding:
    if gpu.fault:
        return Finding("FAIL", f"GPU {gpu.index} does not answer ({gpu.fault})", "start the machine anew")
    memory = "the machine's memory" if gpu.memory_gb is None else f"{gpu.memory_gb:.1f} GB"
    capability = ".".join(map(str, gpu.capability))
    text = f"GPU {gpu.index}: {gpu.name}, {memory}, capability {capability}, driver {gpu.driver}"
    if gpu.capability < _OLDEST:
        return Finding("FAIL", text, "TensorFlow's wheel has no code for it; it needs 6.0 or newer")
    return Finding("ok", text) if is_visible(gpu) else Finding("note", text, "left out by CUDA_VISIBLE_DEVICES")


def _has_cuda() -> bool:
    try:
        return bool(metadata.version("nvidia-cudnn-cu12"))
    except metadata.PackageNotFoundError:
        return False


def _has_nvidia_device(pci: Path) -> bool:
    """Whether a display device of NVIDIA's is on the PCI bus (Linux tells it in /sys)."""
    return any(
        _text(device / "vendor") == _NVIDIA and _text(device / "class").startswith(_DISPLAY)
        for device in (pci.iterdir() if pci.is_dir() else ())
    )


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
