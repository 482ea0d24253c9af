"""What a process may use of its machine."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tasks.ground.process import ending_with_me, usable_cores
from tests.small_project import wait_until

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process does not learn of its parent's end")


@linux
def test_usable_cores_are_those_of_the_job_not_of_the_machine() -> None:
    one_core = {min(os.sched_getaffinity(0))}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=os.sched_setaffinity, initargs=(0, one_core)) as job:
        assert job.submit(usable_cores).result() == 1


STAGE = "import os, time; from tasks.ground.process import die_with_dvc; print(os.getpid(), flush=True);"
STAGE += "time.sleep({wait}); die_with_dvc(); print('alive', flush=True); time.sleep(60)"


def stage(wait: float, environment: dict[str, str], *, exec_: str = 'exec env DVC_PID="$PPID"') -> list[str]:
    """The command of a parent, as DVC is one, that has its own process group and starts a stage by way of a shell."""
    shell = f'{exec_} {sys.executable} -c "$CODE"'
    code = f"import os, subprocess; os.environ.update({environment | {'CODE': STAGE.format(wait=wait)}!r});"
    return [sys.executable, "-c", code + f"subprocess.run(['/bin/sh', '-c', {shell!r}])"]


def started(command: list[str]) -> "tuple[subprocess.Popen[str], int]":
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@linux
@pytest.mark.parametrize(
    "exec_", ['exec env DVC_PID="$PPID"', "exec"], ids=["told of its parent", "not told, as a study"]
)
@pytest.mark.parametrize("wait", [0.5, 0], ids=["killed before the stage could ask", "killed while it works"])
def test_a_stage_ends_with_dvc_however_early_that_is_killed(wait: float, exec_: str) -> None:
    process, pid = started(stage(wait, {"DVC_STAGE": "sample"}, exec_=exec_))
    assert process.stdout is not None
    if not wait:
        assert process.stdout.readline() == "alive\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not lives(pid), 10)
    assert process.stdout.read() == ""
    process.stdout.close()


@linux
def test_a_program_that_is_no_stage_outlives_its_parent() -> None:
    process, pid = started(stage(0, {"DVC_STAGE": ""} if "DVC_STAGE" in os.environ else {}))
    assert process.stdout is not None
    assert process.stdout.readline() == "alive\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)
    assert lives(pid)
    os.kill(pid, signal.SIGKILL)
    process.stdout.close()


@linux
def test_what_a_stage_starts_in_a_group_of_its_own_is_not_taken_for_an_orphan() -> None:
    inner = "from tasks.ground.process import die_with_dvc; die_with_dvc(); print('alive')"
    code = f"import subprocess, sys; {inner}; subprocess.run([sys.executable, '-c', {inner!r}], start_new_session=True)"
    environment = {**os.environ, "DVC_STAGE": "sample", "DVC_PID": str(os.getpid())}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "alive\n" * 2


@linux
def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    """Also where the parent is killed; and what it was given is what runs, open files included."""
    code = (
        "import os, subprocess, sys, time\n"
        "from tasks.ground.process import ending_with_me\n"
        "reading, writing = os.pipe()\n"
        "command = ['sh', '-c', f'echo here >&{writing}; exec sleep 300']\n"
        "child = subprocess.Popen(ending_with_me(command), pass_fds=[writing])\n"
        "print(child.pid, os.read(reading, 5).decode(), flush=True); time.sleep(300)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, said = parent.stdout.readline().split()
        assert said == "here"
        wait_until(lambda: Path("/proc", pid, "cmdline").read_text() == "sleep\x00300\x00", 30)
        parent.kill()
    wait_until(lambda: not Path("/proc", pid).exists(), 30)


@linux
def test_a_child_whose_parent_ended_first_does_not_start(tmp_path: Path) -> None:
    command = ending_with_me(["touch", str(tmp_path / "started")])
    command[command.index(str(os.getpid()))] = "1"  # as if this process were not its parent
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


@linux
def test_a_program_that_is_missing_is_named() -> None:
    done = subprocess.run(ending_with_me(["/no/such"]), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "/no/such: No such file or directory\n")


def test_elsewhere_the_command_is_run_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert ending_with_me(["true"]) == ["true"]
