"""The flow `review`: the labels that are probably wrong, by short trainings that have not learned from them.

`prefect deployment run review/local` runs it on a worker. The work is that of `python -m tasks review`, in a process of
its own: a run that was killed goes on when it is started again.
"""

import os
import re
import signal
from collections import deque
from pathlib import Path
from typing import Annotated, Any

from flows.prefect_settings import prepare

prepare(may_run_without_server=False)

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff
from pydantic import Field

from flows.child import last_sentence, run_tasks
from flows.notify import notify
from flows.publish import percent_of
from tasks.artifacts.review import FoundSuspect, read_suspects
from tasks.ground.text import counted, markdown_text

_LAST_LINES = 30
_LISTED = 100


class ReviewInterruptedError(Exception):
    """A signal ended the command, or another one works in the clone; what it had done stays done."""


def _may_succeed_later(task: Any, run: Any, state: State[Any]) -> bool:
    """Whether trying again may help: not where the data or an option is at fault."""
    return isinstance(state.result(raise_on_failure=False), ReviewInterruptedError)


@task(
    name="review labels",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=20),
    retry_condition_fn=_may_succeed_later,
)
def review_labels(arguments: list[str], root: Path) -> State[Any]:
    """Run `python -m tasks review` in `root`: Completed, or Failed with its sentence.

    Raises:
        ReviewInterruptedError: a signal ended it; trying again may help.
    """
    logger = get_run_logger()
    last: deque[str] = deque(maxlen=_LAST_LINES)

    def show(line: str) -> None:
        if percent_of(line) is None:
            logger.info("%s", line)
            last.append(line)

    code = run_tasks(["review", *arguments], root, show)
    text = "\n".join(last)
    if code == os.EX_TEMPFAIL:
        raise ReviewInterruptedError(last_sentence("review", list(last)) or text)
    if code < 0:
        raise ReviewInterruptedError(f"review was ended by {signal.Signals(-code).name}:\n{text}")
    if code:
        # Not raised: Prefect logs the traceback of an exception, which says nothing of images that are too few.
        sentences = re.findall(r"^review: .*", text, re.MULTILINE)
        return Failed(message=sentences[-1] if sentences else f"review ended with {code}:\n{text}")
    return Completed(message="reviewed")


@flow(name="review", on_failure=[notify], on_crashed=[notify])
def review(
    folds: Annotated[int, Field(ge=2, le=20)] = 4,
    steps: Annotated[int, Field(ge=1)] | None = None,
    minutes: Annotated[float, Field(gt=0)] | None = None,
    count: Annotated[int, Field(ge=1)] = 200,
    out: Path = Path("reports"),
    root: Path | None = None,
) -> State[Any]:
    """List the labels that are probably wrong, and leave the first of them as an artifact.

    Args:
        folds: how many trainings, each without a part of the images.
        steps: of each training; 200 when not given.
        minutes: about how long all trainings may take together, in place of steps.
        count: how many suspects are shown at most.
        out: the folder for the page and the lists. A relative path starts at the clone.
        root: the project's folder; the one this file is in when not given.

    Returns:
        Completed; its message says how many suspects there are. Failed, with the sentence that says why.
    """
    project = root or Path(__file__).resolve().parents[1]
    length = [f"--steps={steps}"] if steps else [f"--minutes={minutes:g}"] if minutes else []
    arguments = [f"--folds={folds}", *length, f"--count={count}", f"--out={out}"]
    state = review_labels(arguments, project, return_state=True)
    if not state.is_completed():
        return Failed(message=state.message)
    suspects = read_suspects(project / out)
    message = f"{counted(len(suspects), 'suspect')} in {out}"
    create_markdown_artifact(key="review", markdown=suspects_markdown(suspects), description=message)
    get_run_logger().info("%s", message)
    return Completed(message=message)


def suspects_markdown(suspects: list[FoundSuspect]) -> str:
    """The first suspects as a page; names of files and classes are escaped."""
    rows = [
        f"| {place} | {markdown_text(each.image)} | {markdown_text(each.sentence)} | {each.score:.2f} |"
        for place, each in enumerate(suspects[:_LISTED], start=1)
    ]
    more = f"\n\nand {len(suspects) - _LISTED} more" if len(suspects) > _LISTED else ""
    return "\n".join(["# Labels that are probably wrong\n", "| | image | | score |\n|---:|---|---|---:|", *rows]) + more
