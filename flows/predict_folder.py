"""The flow `predict-folder`: the exported detector on the photos of a folder that are new, each once.

`python flows/predict_folder.py photos/` runs it here and now; `prefect deployment run predict-folder/local` on a
worker, also on a schedule. The work is that of `python -m tasks predict-folder`, in a process of its own.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, cast

if __name__ == "__main__":  # run as a file, Python looks for modules in flows/ only
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.prefect_settings import prepare, start_or_check

_OWN_SERVER = prepare(may_run_without_server=__name__ == "__main__")

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff
from pydantic import Field

from flows.command_run import may_succeed_later, run_command
from flows.folder_summary import FolderSummary, artifact_key, summary_markdown
from flows.notify import notify, notify_if_unlike
from tasks.ground.process import CTRL_C_STATUS


@task(
    name="detect",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=20),
    retry_condition_fn=may_succeed_later,
)
def detect(arguments: list[str], root: Path) -> FolderSummary | State[Any] | None:
    """Run `python -m tasks predict-folder` in `root`.

    Returns:
        What it did; None where another run works in the folder; the state Failed, with its sentence, where it failed.

    Raises:
        CommandInterruptedError: a signal ended it; trying again may help.
    """
    with TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        # Its own lines tell how far it is in the whole folder; its bars are of a few hundred photos each.
        ended = run_command("predict-folder", [f"--summary={summary}", *arguments], root, with_bars=False)
        if ended.code == 0:
            return FolderSummary.model_validate_json(summary.read_bytes())
    # Not raised: Prefect logs the traceback of an exception, which says nothing of a folder that is missing.
    return None if ended.code == os.EX_TEMPFAIL else Failed(message=ended.sentence)


@flow(name="predict-folder", on_failure=[notify], on_crashed=[notify], on_completion=[notify_if_unlike])
def predict_folder(
    folder: Path,
    out: Path | None = None,
    model: Path = Path("models/exported"),
    score_threshold: Annotated[float, Field(ge=0, le=1)] | None = None,
    draw: bool = False,
    again: bool = False,
    settle_seconds: Annotated[float, Field(ge=0, le=86400)] = 10.0,
    root: Path | None = None,
) -> State[Any]:
    """Detect in the photos of a folder that are new, each once, and leave a summary.

    Args:
        folder: the folder that photos are put into, also into subfolders. A relative path starts at the clone.
        out: the folder for the results; predictions in the folder of photos when not given.
        model: an export folder, or the file of a variant in one, such as models/exported/model_int8.tflite.
        score_threshold: boxes from this score on are kept, 0 to 1; the model's own when not given.
        draw: also write each photo with its boxes.
        again: also do photos again that another model or score threshold was used for.
        settle_seconds: photos that changed within so many seconds are left for the next run.
        root: the project's folder; the one this file is in when not given.

    Returns:
        Completed; its message says what was done, or that another run works in the folder. Failed, with the sentence
        that says why.
    """
    arguments = [f"--model={model}", f"--settle={settle_seconds:g}", *_options(out, score_threshold, draw, again)]
    # After `--`, a name that begins with a dash is no option.
    state = detect([*arguments, "--", str(folder)], root or Path(__file__).resolve().parents[1], return_state=True)
    if not state.is_completed():
        return Failed(message=state.message)
    summary = cast("FolderSummary | None", state.result())
    if summary is None:
        message = f"another run works on {folder}: nothing to do"
    else:
        message = summary.sentence
        create_markdown_artifact(
            key=artifact_key(summary.folder), markdown=summary_markdown(summary), description=message
        )
    get_run_logger().info("%s", message)
    return Completed(message=message)


def _options(out: Path | None, score_threshold: float | None, draw: bool, again: bool) -> list[str]:
    return [
        *([f"--out={out}"] if out else []),
        *([f"--score-threshold={score_threshold}"] if score_threshold is not None else []),
        *(["--draw"] if draw else []),
        *(["--again"] if again else []),
    ]


def _absolute_path(text: str) -> Path:
    """A path as the user means it: the command runs in the clone, wherever the flow was started."""
    return Path(text).absolute()


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python flows/predict_folder.py",
        description="Detect in the photos of a folder that are new; `python -m tasks predict-folder` has more options.",
    )
    place = _absolute_path
    parser.add_argument("folder", type=place, metavar="FOLDER", help="that photos are put into, also into subfolders")
    parser.add_argument("--out", type=place, metavar="FOLDER", help="for the results; default: FOLDER/predictions")
    parser.add_argument("--model", type=place, default=Path("models/exported"), help="default: the clone's %(default)s")
    parser.add_argument("--score-threshold", type=float, metavar="SCORE", help="default: the model's own")
    parser.add_argument("--draw", action="store_true", help="also write each photo with its boxes")
    parser.add_argument("--again", action="store_true", help="also do photos again that were done otherwise")
    parser.add_argument("--settle", type=float, default=10.0, metavar="SECONDS", help="default: %(default)g")
    args = parser.parse_args()
    # A shell lets background processes ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start_or_check(_OWN_SERVER)
    try:
        state = predict_folder(
            folder=args.folder,
            out=args.out,
            model=args.model,
            score_threshold=args.score_threshold,
            draw=args.draw,
            again=args.again,
            settle_seconds=args.settle,
            return_state=True,
        )
    except KeyboardInterrupt:
        print("predict-folder: stopped; run it again to go on", file=sys.stderr)
        raise SystemExit(CTRL_C_STATUS) from None
    if not state.is_completed():
        raise SystemExit(state.message)


if __name__ == "__main__":
    _main()
