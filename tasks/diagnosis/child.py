"""Trying something in a process of its own, which may crash or hang without harm to the diagnosis."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.ground.files import CODE
from tasks.ground.process import ending_with_me

_SHOWN_CHARACTERS = 300
_EXCEPTION = re.compile(r"[\w.]+(Error|Exception|Interrupt): ")


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
                # Else a training would go on when the diagnosis is ended.
                ending_with_me([sys.executable, "-m", module, *arguments, str(file)]),
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
    """The exception's message, which may have several lines; without an exception, the last line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    ended = f"killed by signal {-done.returncode}" if done.returncode < 0 else f"ended with {done.returncode}"
    if not lines:
        return ended
    raised = [i for i, line in enumerate(lines) if _EXCEPTION.match(line)]
    text = " ".join(lines[raised[-1] if raised else -1 :])
    return f"{text[:_SHOWN_CHARACTERS]} ({ended})"
