"""The GPUs that the driver knows, before TensorFlow is asked."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tasks.diagnosis.finding import Finding

_PCI = Path("/sys/bus/pci/devices")
_NVIDIA, _DISPLAY = "0x10de", "0x03"
# The oldest that TensorFlow 2.21's wheel has code for (its build information lists sm_60).
_OLDEST = (6, 0)


@dataclass(frozen=True)
class Gpu:
    """One GPU, as the driver tells it.

    Attributes:
        index: as CUDA_VISIBLE_DEVICES counts.
        memory_gb: in 10^9 bytes.
        capability: CUDA's compute capability, such as (8, 9).
    """

    index: int
    name: str
    memory_gb: float
    capability: tuple[int, int]
    driver: str


def known_gpus() -> list[Gpu]:
    """Those of the NVIDIA driver; none without it."""
    import pynvml  # noqa: PLC0415 - where the driver's library is missing, not even its import is to be relied on

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [
            Gpu(
                index=i,
                name=str(pynvml.nvmlDeviceGetName(handle)),
                memory_gb=pynvml.nvmlDeviceGetMemoryInfo(handle).total / 1e9,
                capability=tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
                driver=str(pynvml.nvmlSystemGetDriverVersion()),
            )
            for i, handle in enumerate(handles)
        ]
    finally:
        pynvml.nvmlShutdown()


def gpu_findings(gpus: list[Gpu], pci: Path = _PCI) -> list[Finding]:
    """What the driver says of each, and what is missing for TensorFlow to use it."""
    if not gpus:
        if _has_nvidia_device(pci):
            return [
                Finding("FAIL", "there is an NVIDIA GPU, but its driver does not answer", "install NVIDIA's driver")
            ]
        return [Finding("note", "no NVIDIA GPU: training runs on the CPU")]
    found = []
    for gpu in gpus:
        capability = ".".join(map(str, gpu.capability))
        text = f"GPU {gpu.index}: {gpu.name}, {gpu.memory_gb:.1f} GB, capability {capability}, driver {gpu.driver}"
        if gpu.capability < _OLDEST:
            found.append(Finding("FAIL", text, "TensorFlow's wheel has no code for it; it needs 6.0 or newer"))
        else:
            found.append(Finding("ok", text))
    if not _has_cuda():
        found.append(Finding("FAIL", "TensorFlow's CUDA libraries are not installed", "run `make setup GPU=1`"))
    return found


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
