"""The flow `pipeline`: dvc.yaml's graph, each stage a task, independent stages side by side.

`python flows/pipeline.py` runs it here and now, without a server; `prefect deployment run pipeline/local` on a worker.
DVC decides whether a stage runs; this flow decides when, and logs why.
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
from prefect.task_runners import ThreadPoolTaskRunner

from flows.agents import cancel_agents
from flows.clone_lock import clone_lock
from flows.notify import notify
from flows.overrides import params_override
from flows.publish import publish
from flows.run_all import run_all
from tasks.errors import ParamsError, PipelineError
from tasks.lint.paths import refuse_unsafe_paths
from tasks.params import read_params

# Stages at once, including those that wait for agents; `stage` limits those that run here.
_MAX_WAITING = 16

# Prefect types the argument too narrowly for its own runner.
_RUNNER: Any = ThreadPoolTaskRunner(max_workers=_MAX_WAITING)


@flow(
    name="pipeline",
    task_runner=_RUNNER,
    on_completion=[notify],
    on_failure=[notify],
    on_crashed=[notify],
    on_cancellation=[cancel_agents, notify],
)
def pipeline(
    targets: list[str] | None = None,
    params: dict[str, Any] | None = None,
    force: bool = False,
    gpu: str | None = None,
    root: str | None = None,
) -> dict[str, str]:
    """Bring the pipeline up to date.

    Args:
        targets: stages to bring up to date, with all they need; none means all.
        params: values to set in params.yaml first, such as {"train.steps": 500}; undone if the run fails.
        force: run every stage, even those that are up to date.
        gpu: the deployment that runs stages of the gpu pool in another clone, such as train-stage/gpu; none means here.
        root: the project's folder; the one this file is in when not given.

    Returns:
        For each stage, in order: Cached, Restored or Ran.
    """
    folder = Path(root) if root else Path(__file__).resolve().parents[1]
    logger = get_run_logger()
    with clone_lock(folder, logger.info):
        with params_override(folder, params or {}, logger.info):
            _refuse_unsafe_paths(folder)
            states = run_all(folder, targets or [], force=force, gpu=gpu)
        try:
            publish(folder)
        except PipelineError as error:
            # The results are complete; a page that cannot be drawn does not make the run a failed one.
            logger.warning("no artifacts: %s", error)
    outcomes = {name: str(state.name) for name, state in states.items()}
    logger.info("%s", ", ".join(f"{name} {outcome}" for name, outcome in outcomes.items()))
    return outcomes


def _refuse_unsafe_paths(folder: Path) -> None:
    """Check the paths of the project in `folder`: DVC removes what stands there before a stage could look.

    Raises:
        ParamsError: a path lies over what no stage wrote.
    """
    try:
        params = read_params(folder / "params.yaml")
    # The stages themselves report what is wrong with it.
    except ParamsError:
        return
    refuse_unsafe_paths(params, folder)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python flows/pipeline.py", description="Bring the pipeline up to date.")
    parser.add_argument("targets", nargs="*", metavar="STAGE", help="stages to bring up to date (default: all)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as train.steps=500")
    parser.add_argument("--force", action="store_true", help="run all stages, even those that are up to date")
    parser.add_argument("--gpu", metavar="DEPLOYMENT", help="where stages of the gpu pool run, such as train-stage/gpu")
    args = parser.parse_args()
    # A shell lets background processes ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start_or_check(_OWN_SERVER)
    pipeline(
        targets=args.targets, params=dict(_key_and_value(text) for text in args.set), force=args.force, gpu=args.gpu
    )


def _key_and_value(text: str) -> tuple[str, Any]:
    import yaml  # noqa: PLC0415 - the command line only

    key, separator, value = text.partition("=")
    if not separator:
        raise SystemExit(f"--set {text}: expected KEY=VALUE, such as train.steps=500")
    return key, yaml.safe_load(value)


if __name__ == "__main__":
    _main()
