import platform
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tasks.diagnosis import machine
from tasks.diagnosis.machine import machine_findings, package_findings


def cpuinfo(tmp_path: Path, flags: str) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: A Processor\nflags\t\t: {flags}\n\nmodel name\t: Another\n")
    return path


def test_the_machine_is_told(tmp_path: Path) -> None:
    texts = [str(finding) for finding in machine_findings(cpuinfo(tmp_path, "sse avx fma avx2"))]
    assert f"Python {platform.python_version()}" in texts[0]
    assert texts[1].endswith(": A Processor, AVX AVX2 FMA")
    assert "memory: " in texts[2]
    assert "GB free here" in texts[3]


@pytest.mark.parametrize(("flags", "arch", "fails"), [("sse", "x86_64", True), ("fp asimd", "aarch64", False)])
def test_a_processor_without_avx_cannot_run_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, arch: str, fails: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: arch)
    failed = [finding for finding in machine_findings(cpuinfo(tmp_path, flags)) if finding.state == "FAIL"]
    assert [finding.text for finding in failed] == ["the processor has no AVX, which TensorFlow needs"] * fails


def test_a_machine_that_tells_nothing_of_its_processor_is_no_fault(tmp_path: Path) -> None:
    assert {finding.state for finding in machine_findings(tmp_path / "none")} <= {"ok", "note"}


def test_little_disk_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_FREE_GB", 1e9)
    assert [finding.state for finding in machine_findings() if finding.text.startswith("disk")] == ["note"]


def test_the_versions_are_told() -> None:
    packages, _ = package_findings()
    assert packages.state == "ok"
    assert "tensorflow 2.21.0, tf-keras 2.21.0" in packages.text


def test_a_missing_package_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(machine, "version", version)
    (finding,) = package_findings()
    assert str(finding) == "  FAIL  tensorflow is not installed: run `make setup`"


@pytest.mark.parametrize(("setting", "state"), [("0", "note"), ("False", "note"), ("1", "ok")])
def test_onednn_is_told(monkeypatch: pytest.MonkeyPatch, setting: str, state: str) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", setting)
    assert package_findings()[1].state == state
