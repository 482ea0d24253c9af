"""`cache`: a result that DVC could not store, and bytes that flipped in its cache."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tasks.__main__ import main

DVC_YAML = """
stages:
  make:
    cmd:
      ulimit -S -f unlimited && mkdir -p out && head -c 300000 /dev/zero > out/large && echo small > out/small
      && echo kept > kept.json
    deps: [params.yaml]
    outs: [out, kept.json: {cache: false}]
"""


def dvc(*arguments: str, largest_file: int | None = None) -> "subprocess.CompletedProcess[str]":
    """DVC in this folder; no file that it writes itself may be larger, as on a disk that is nearly full."""
    limit = (
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({largest_file}, resource.RLIM_INFINITY)); " if largest_file else ""
    )
    code = f"import resource, sys; {limit}from dvc.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # DVC's own processes start without TensorFlow's and pytest's settings.
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    subprocess.run(["git", "init", "-q"], check=True)
    assert dvc("init", "-q").returncode == 0
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    (tmp_path / "params.yaml").write_text("a: 1\n")
    return tmp_path


def cached(project: Path, content: bytes) -> Path:
    files = (path for path in (project / ".dvc/cache/files/md5").rglob("*") if path.is_file())
    return next(path for path in files if path.read_bytes() == content)


def test_a_whole_cache_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dvc("repro").returncode == 0
    assert main(["cache"]) == 0
    assert main(["cache", "--verify"]) == 0
    assert "holds all 3 files of the results, each with its MD5" in capsys.readouterr().out


@pytest.fixture
def other_disk(project: Path) -> Iterator[Path]:
    """A cache on another file system than the workspace: there DVC copies what it stores."""
    memory = Path("/dev/shm")  # noqa: S108 - it is there or not, whoever made it
    if not memory.is_dir() or memory.stat().st_dev == project.stat().st_dev:
        pytest.skip("no second file system to write to (/dev/shm)")
    with TemporaryDirectory(dir=memory) as folder:
        assert dvc("cache", "dir", "--local", folder).returncode == 0
        yield Path(folder)


def test_a_result_that_could_not_be_stored_is_named_and_can_be_stored_later(
    project: Path, other_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = dvc("repro", largest_file=100_000)
    assert done.returncode == 0, "DVC itself reports a full disk now: is the check needed any more?"
    assert "failed to transfer" in done.stderr
    assert main(["cache"]) == 1
    message = capsys.readouterr().err
    assert "DVC did not store 1 files of the results of make: out; " in message
    assert "MB are free there" in message
    assert "`dvc commit -f make` stores what is in the workspace" in message

    assert dvc("commit", "-f", "make").returncode == 0
    assert main(["cache", "--verify"]) == 0


def test_a_flipped_byte_is_found_by_reading_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dvc("repro").returncode == 0
    file = cached(project, b"small\n")
    times = file.stat()
    file.chmod(0o644)
    file.write_bytes(b"smalk\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert main(["cache"]) == 0
    assert main(["cache", "--verify"]) == 1
    message = capsys.readouterr().err
    assert f"1 files in the cache are damaged: out/small (in the cache {file}" in message
    assert "dvc repro -f -s make" in message


def test_a_damaged_list_of_a_folder_is_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dvc("repro").returncode == 0
    (file,) = (project / ".dvc/cache/files/md5").rglob("*.dir")
    file.chmod(0o644)
    file.write_text("[]")
    assert main(["cache", "--verify"]) == 1
    assert "are damaged: out (in the cache" in capsys.readouterr().err


def test_without_a_run_there_is_nothing_to_look_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache"]) == 1
    assert "run `make run` first" in capsys.readouterr().err
