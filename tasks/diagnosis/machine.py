"""What the machine and its packages are, without starting any of them."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from tasks.diagnosis.finding import Finding
from tasks.ground.od_api_imports import CPUINFO, fuses_slowly, lacks_avx, onednn_is_on
from tasks.ground.process import usable_cores

_PACKAGES = ("tensorflow", "tf-keras", "tf-object-detection-api", "numpy", "protobuf", "dvc", "prefect")
_FREE_GB = 5.0
# What TensorFlow's kernels make use of, oldest first.
_INSTRUCTIONS = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "amx_tile")


def machine_findings(cpuinfo: Path = CPUINFO) -> list[Finding]:
    """The system, its processor, memory and disk."""
    name, instructions = _processor(cpuinfo)
    cores, memory = usable_cores(), psutil.virtual_memory()
    known = f", {' '.join(instructions).upper()}" if instructions else ""
    found = [
        Finding("ok", f"{platform.platform()}, Python {platform.python_version()}"),
        Finding("ok", f"{cores} usable core{'s' * (cores != 1)}: {name}{known}"),
        Finding("ok", f"memory: {memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB of it free"),
        _disk(),
    ]
    if lacks_avx(cpuinfo):
        found.append(Finding("FAIL", "the processor has no AVX, which TensorFlow needs", "take another machine"))
    return found


def package_findings() -> list[Finding]:
    """The versions of what matters, and whether oneDNN, which computes a step faster, is on."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            return [Finding("FAIL", f"{name} is not installed", "run `make setup`")]
    return [Finding("ok", ", ".join(found)), _onednn()]


def _onednn() -> Finding:
    if not onednn_is_on():
        setting = os.environ["TF_ENABLE_ONEDNN_OPTS"]
        return Finding(
            "note", f"oneDNN is off (TF_ENABLE_ONEDNN_OPTS={setting})", "unset it, unless you need the other sums"
        )
    slow = "; no operations are fused, which is slow with it on processors without AVX-512"
    return Finding("ok", f"oneDNN is on{slow * fuses_slowly()}")


def _processor(cpuinfo: Path) -> tuple[str, list[str]]:
    """Its name, and those of `_INSTRUCTIONS` that it has; none are known where there is no `cpuinfo`."""
    values: dict[str, str] = {}
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            values.setdefault(key.strip(), value.strip())
    flags = set(values.get("flags", "").split())
    return values.get("model name", platform.machine()), [name for name in _INSTRUCTIONS if name in flags]


def _disk() -> Finding:
    free = shutil.disk_usage(".").free / 1e9
    text = f"disk: {free:.1f} GB free here"
    return Finding("ok", text) if free >= _FREE_GB else Finding("note", text, "data, cache and models may need more")
