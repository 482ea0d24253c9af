"""A command of `tasks` within a Prefect task: its lines in the run's log, and how it ended."""

import signal
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prefect import State, get_run_logger

from flows.child import run_tasks
from flows.publish import percent_of

_LAST_LINES = 30


class CommandInterruptedError(Exception):
    """A signal ended the command, such as that of a system without memory; what it had done stays done."""


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        code: its exit code: 0 where all is well, `os.EX_TEMPFAIL` where it may pass by itself.
        sentence: what it says at its end of what is to be mended, else its last lines.
    """

    code: int
    sentence: str


def run_command(command: str, arguments: Sequence[str], root: Path, *, with_bars: bool) -> Ended:
    """Run `python -m tasks COMMAND` in `root`; the log gets each line, of progress bars a few lines or none.

    Raises:
        CommandInterruptedError: a signal ended it; trying again may help.
    """
    logger = get_run_logger()
    last: deque[str] = deque(maxlen=_LAST_LINES)

    def show(line: str) -> None:
        is_bar = percent_of(line) is not None
        if with_bars or not is_bar:
            logger.info("%s", line)
        if not is_bar:
            last.append(line)

    code = run_tasks([command, *arguments], root, show)
    lines = "\n".join(last)
    if code < 0:
        raise CommandInterruptedError(f"{command} was ended by {signal.Signals(-code).name}:\n{lines}")
    return Ended(code, _last_sentence(command, list(last)) or f"{command} ended with {code}:\n{lines}")


def may_succeed_later(task: Any, run: Any, state: State[Any]) -> bool:
    """Whether trying again may help: not where the data, the model or an option is at fault."""
    return isinstance(state.result(raise_on_failure=False), CommandInterruptedError)


def _last_sentence(command: str, lines: Sequence[str]) -> str:
    starts = [place for place, line in enumerate(lines) if line.startswith(f"{command}: ")]
    return "\n".join(lines[starts[-1] :]) if starts else ""
