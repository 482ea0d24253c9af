"""The flow `freeze-study`: the stages of studies/freeze, one at a time, because they measure how long a step takes.

`python flows/freeze_study.py` runs it here and now; `prefect deployment run freeze-study/local` on a worker. A killed
run goes on when started again: ended stages are cached, and a training goes on from its last saved state.
"""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a file, Python looks for modules in flows/ only
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.prefect_settings import prepare, start_or_check

_OWN_SERVER = prepare(may_run_without_server=__name__ == "__main__")

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.task_runners import ThreadPoolTaskRunner

from flows.clone_lock import clone_lock
from flows.notify import notify
from flows.run_all import run_all

_FOLDER = Path("studies/freeze")
# Prefect types the argument too narrowly for its own runner.
_ONE_BY_ONE: Any = ThreadPoolTaskRunner(max_workers=1)


@flow(
    name="freeze-study",
    task_runner=_ONE_BY_ONE,
    on_completion=[notify],
    on_failure=[notify],
    on_crashed=[notify],
)
def freeze_study(targets: list[str] | None = None, force: bool = False, root: str | None = None) -> dict[str, str]:
    """Bring the layer-freezing study up to date.

    Args:
        targets: stages to bring up to date, such as train@v2_fpnlite-first_8-1, with all they need; none means all.
        force: run every stage, even those that are up to date: hours.
        root: the project's folder; the one this file is in when not given.

    Returns:
        For each stage, in order: Cached, Restored or Ran.
    """
    folder = (Path(root) if root else Path(__file__).resolve().parents[1]) / _FOLDER
    with clone_lock(folder, get_run_logger().info):
        states = run_all(folder, targets or [], force=force)
    table, page = folder / "table.md", folder / "reports" / "freeze.html"
    if table.is_file() and page.is_file():
        text = f"{table.read_text(encoding='utf-8')}\nThe page is the file `{page}` on the worker's machine."
        create_markdown_artifact(key="freeze-study", markdown=text)
    return {name: str(state.name) for name, state in states.items()}


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python flows/freeze_study.py", description="Bring the layer-freezing study up to date."
    )
    parser.add_argument("targets", nargs="*", metavar="STAGE", help="stages to bring up to date (default: all)")
    parser.add_argument("--force", action="store_true", help="run all stages, even those that are up to date")
    args = parser.parse_args()
    # A shell lets background processes ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start_or_check(_OWN_SERVER)
    freeze_study(targets=args.targets, force=args.force)


if __name__ == "__main__":
    _main()
