"""Prefect's processes: started, watched, restarted, stopped in order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tasks.ground.process import ending_with_me

_STOP_SECONDS = 30
# A process that ends sooner than this after its start would end again.
_SHORT_LIFE_SECONDS = 20


class ProcessError(Exception):
    """A process ended by itself and is not restarted."""


class PrefectProcess:
    """A Python module that runs in a process of its own until it is stopped."""

    def __init__(
        self,
        name: str,
        module: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        restart: bool,
        descriptors: Collection[int] = (),
    ) -> None:
        """Start it.

        Args:
            name: for messages.
            module: the module, and its arguments.
            folder: its working directory.
            environment: all of its variables.
            restart: whether it is restarted when it ends by itself.
            descriptors: open files that it inherits.
        """
        self.name, self._restart = name, restart
        self._module, self._folder, self._environment = module, folder, environment
        self._descriptors = descriptors
        self._start()

    def _start(self) -> None:
        self._started = time.monotonic()
        # A session of its own: Ctrl-C reaches only the parent, which then stops its processes in order.
        self._process = subprocess.Popen(
            # A killed parent must not leave a server behind.
            ending_with_me([sys.executable, "-m", *self._module]),
            cwd=self._folder,
            env=dict(self._environment),
            pass_fds=tuple(self._descriptors),
            start_new_session=True,
        )

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def restart_if_ended(self) -> None:
        """Restart it if it has ended.

        Raises:
            ProcessError: it has ended and is not to be restarted, or had only just been started.
        """
        if not self.ended:
            return
        what = f"the {self.name} ended by itself (exit code {self._process.returncode})"
        if not self._restart or time.monotonic() - self._started < _SHORT_LIFE_SECONDS:
            raise ProcessError(f"{what}; see its messages above")
        print(f"{what}; restarting it", flush=True)
        self._start()

    def stop(self) -> None:
        """Stop it, or kill it if it does not end in time."""
        if self.ended:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
