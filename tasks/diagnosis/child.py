"""Trying something in a process of its own, which may crash or hang without harm to the diagnosis."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.ground.files import CODE

_SHOWN_CHARACTERS = 300


class TrialError(Exception):
    """The process failed; the message is the last that it said."""


def try_in_child(
    module: str, arguments: Sequence[str], *, seconds: float, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What `python -m MODULE ARGUMENTS... FILE` writes to FILE as JSON.

    Raises:
        TrialError: it ended with an error, was killed by a signal, or took more than `seconds`.
    """
    paths = [str(CODE.parent), os.environ.get("PYTHONPATH", "")]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "result.json")
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments, str(file)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **(environment or {})},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TrialError(f"no end after {seconds:.0f} s") from None
        if done.returncode or not file.exists():
            raise TrialError(_last_words(done))
        result: dict[str, Any] = json.loads(file.read_bytes())
        return result


def _last_words(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    ended = f"killed by signal {-done.returncode}" if done.returncode < 0 else f"ended with {done.returncode}"
    return f"{lines[-1][-_SHOWN_CHARACTERS:]} ({ended})" if lines else ended
