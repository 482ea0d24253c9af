"""The flow `learning-curve`: what more labelled images would bring, from trainings on fewer of them.

`python flows/learning_curve.py` runs it here and now; `prefect deployment run learning-curve/local` on a worker. The
work is that of `python -m tasks learning-curve`, in a process of its own: a killed run goes on when started again.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, cast

if __name__ == "__main__":  # run as a file, Python looks for modules in flows/ only
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.prefect_settings import prepare, start_or_check

_OWN_SERVER = prepare(may_run_without_server=__name__ == "__main__")

from prefect import State, flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed
from pydantic import Field

from flows.command_run import CommandInterruptedError, may_succeed_later, run_command
from flows.notify import notify
from tasks.artifacts.learning_curve import read_learning_curve
from tasks.ground.process import CTRL_C_STATUS
from tasks.ground.text import markdown_text
from tasks.metrics.more_data_texts import answer_lines, size_lines

_COMMAND, _PAGE = "learning-curve", Path("reports/learning_curve.html")


@task(name="train-on-subsets", retries=2, retry_delay_seconds=60, retry_condition_fn=may_succeed_later)
def train_on_subsets(arguments: list[str], root: Path) -> list[str] | State[Any]:
    """Run `python -m tasks learning-curve` in `root`.

    Returns:
        The answer, line by line; the state Failed, with its sentence, where it failed.

    Raises:
        CommandInterruptedError: a signal ended it, or another process works in the clone; trying again may help.
    """
    ended = run_command(_COMMAND, [f"--out={_PAGE}", *arguments], root, with_bars=True)
    if ended.code == os.EX_TEMPFAIL:
        raise CommandInterruptedError(ended.sentence)
    if ended.code:
        # Not raised: Prefect logs the traceback of an exception, which says nothing of data that are too few.
        return Failed(message=ended.sentence)
    measured = read_learning_curve((root / _PAGE).with_suffix(".json"))
    return [*answer_lines(measured), *size_lines(measured)]


@flow(name=_COMMAND, on_completion=[notify], on_failure=[notify], on_crashed=[notify])
def learning_curve(
    sizes: list[Annotated[int, Field(ge=1, le=100)]] | None = None,
    seeds: Annotated[int, Field(ge=2, le=20)] = 3,
    steps: Annotated[int, Field(ge=1)] | None = None,
    root: Path | None = None,
) -> State[Any]:
    """Find out how much more labelled images would bring, by training on fewer.

    Args:
        sizes: per cent of the training images, rising, the last 100; 25, 50 and 100 when not given.
        seeds: trainings on each size.
        steps: of each training; those of params.yaml when not given.
        root: the project's folder; the one this file is in when not given.

    Returns:
        Completed; its message is the answer. Failed, with the sentence that says why.
    """
    arguments = [
        f"--seeds={seeds}",
        *([f"--steps={steps}"] if steps else []),
        *(["--sizes", *map(str, sizes)] if sizes else []),
    ]
    folder = root or Path(__file__).resolve().parents[1]
    state = train_on_subsets(arguments, folder, return_state=True)
    if not state.is_completed():
        return Failed(message=state.message)
    lines = cast("list[str]", state.result())
    page = f"\nThe page is the file `{folder / _PAGE}` on the worker's machine."
    text = "\n".join([*(f"- {markdown_text(line)}" for line in lines), page])
    create_markdown_artifact(key=_COMMAND, markdown=text, description=lines[0])
    return Completed(message=lines[0])


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python flows/learning_curve.py", description="Find out how much more labelled images would bring."
    )
    parser.add_argument("--sizes", nargs="+", type=int, metavar="PERCENT", help="default: 25 50 100")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="default: %(default)s")
    parser.add_argument("--steps", type=int, metavar="N", help="default: train.steps of params.yaml")
    args = parser.parse_args()
    # A shell lets background processes ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start_or_check(_OWN_SERVER)
    try:
        state = learning_curve(sizes=args.sizes, seeds=args.seeds, steps=args.steps, return_state=True)
    except KeyboardInterrupt:
        print(f"{_COMMAND}: stopped; run it again to go on", file=sys.stderr)
        raise SystemExit(CTRL_C_STATUS) from None
    if not state.is_completed():
        raise SystemExit(state.message)


if __name__ == "__main__":
    _main()
