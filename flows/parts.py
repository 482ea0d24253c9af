"""The processes that `make server` is made of: started, watched, started again, ended in order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.ground.process import die_with_parent

_STOP_SECONDS = 30
# A part that ends sooner than this after its start would end again.
_SHORT_LIFE_SECONDS = 20


class PartError(Exception):
    """A part ended by itself and is not started again."""


class Part:
    """A `prefect` process that goes on until it is stopped."""

    def __init__(
        self, name: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, again: bool
    ) -> None:
        """Start it.

        Args:
            name: for messages.
            arguments: of `prefect`.
            folder: where it runs.
            environment: all of its variables.
            again: whether it is started again when it ends by itself.
        """
        self.name, self._again = name, again
        self._arguments, self._folder, self._environment = arguments, folder, environment
        self._start()

    def _start(self) -> None:
        self._started = time.monotonic()
        # A session of its own: Ctrl-C reaches this process alone, which then ends the parts in order.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *self._arguments],
            cwd=self._folder,
            env=dict(self._environment),
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - killed, this process must not leave a server behind
        )

    @property
    def ended(self) -> bool:
        """Whether its process is gone."""
        return self._process.poll() is not None

    def mend(self) -> None:
        """Start it again if it has ended.

        Raises:
            PartError: it has ended, and is not meant to be started again, or had only just been started.
        """
        if not self.ended:
            return
        what = f"the {self.name} ended by itself (exit code {self._process.returncode})"
        if not self._again or time.monotonic() - self._started < _SHORT_LIFE_SECONDS:
            raise PartError(f"{what}; see its messages above")
        print(f"{what}; starting it again", flush=True)
        self._start()

    def stop(self) -> None:
        """End it; killed if it does not end in time."""
        if self.ended:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
