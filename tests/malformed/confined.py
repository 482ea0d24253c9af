"""Running a command of the pipeline confined: in a process of its own, its time and memory bounded and measured.

One process imports the stages once and forks for each job, so that a job costs a fork, and what one does to its memory
no other sees. It gets its jobs as lines of JSON: `python -m tests.malformed.confined`.
"""

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 1_000_000_000
# Where a process is stopped, so that a bomb takes the test down and not the machine.
_STOPPED_AT = 3 * MAX_BYTES
# Protection against a hang: cases take well below a second, a few of them some.
MAX_SECONDS = 60
_CRASHED = 70
_OPENED_BY_STAGES = (
    "tasks.__main__", "tasks.stages.ingest", "tasks.stages.validate", "tasks.stages.split", "tasks.stages.checkpoint",
    "tasks.commands.explain",
    "concurrent.futures.process", "dask.system", "imagehash", "multiprocessing.synchronize", "pandas",
    "scipy.fftpack", "scipy.fft", "scipy.sparse.csgraph", "rapidfuzz.distance",
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        exit: its exit status; negative where a signal ended it.
        peak_bytes: the most memory that it held at a time.
        hung: whether it was ended for taking too long.
        printed: what it wrote to stdout and stderr.
    """

    exit: int
    peak_bytes: int
    hung: bool
    printed: str


class Confined:
    """Runs jobs one after the other, as a context."""

    def __enter__(self) -> "Confined":
        # One thread each: a process with several may not be forked, and none of this needs more.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.malformed.confined"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def run(
        self, folder: Path, *arguments: str, entry: str = "tasks.__main__:main", max_seconds: float = MAX_SECONDS
    ) -> Ended:
        """Call `entry` (`module:function`) with `arguments`, in `folder`."""
        assert self._process.stdin
        assert self._process.stdout
        printed = folder / "printed.txt"
        job = {"folder": str(folder), "printed": str(printed), "entry": entry, "arguments": arguments}
        self._process.stdin.write(json.dumps({**job, "max_seconds": max_seconds}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        text = printed.read_bytes().decode("utf-8", errors="backslashreplace")
        printed.unlink()
        return Ended(answer["exit"], answer["peak_bytes"], answer["hung"], text)


def _serve() -> None:
    for name in _OPENED_BY_STAGES:
        importlib.import_module(name)
    Image.init()  # its decoders, too, are else imported in each job anew
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _do(job)
        print(json.dumps(_watched(child, job["max_seconds"])), flush=True)


def _do(job: dict[str, Any]) -> None:
    """In the forked process: never returns."""
    status = _CRASHED
    try:
        output = os.open(job["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(job["folder"])
        resource.setrlimit(resource.RLIMIT_AS, (_STOPPED_AT, _STOPPED_AT))
        module, name = job["entry"].split(":")
        status = getattr(importlib.import_module(module), name)(job["arguments"])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _watched(child: int, max_seconds: float) -> dict[str, Any]:
    end, hung = time.monotonic() + max_seconds, False
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > end and not hung:
            hung = True
            os.kill(child, signal.SIGKILL)
        time.sleep(0.002)
    return {"exit": os.waitstatus_to_exitcode(status), "peak_bytes": usage.ru_maxrss * 1024, "hung": hung}


if __name__ == "__main__":
    _serve()
