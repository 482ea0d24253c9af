"""`python -m studies.models`: every model without a result is run and measured, one after another; then the tables.

In the folder studies/models. `measure NAME` is what it starts for each, in a process of its own.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tqdm import tqdm

from studies.command import status_of
from studies.models.result import ModelResult
from studies.models.table import write_tables
from studies.results import read_named_results
from studies.stages import code_version
from tasks.artifacts.artifact import write_artifact
from tasks.errors import ParamsError, PipelineError
from tasks.ground.process import usable_cores
from tasks.model.definitions import MODELS

RESULTS = Path("results")


def main() -> int:
    """Run what is asked for; 0 when it ended well, 1 when there is something to mend."""
    parser = argparse.ArgumentParser(prog="python -m studies.models", description=__doc__)
    stages = parser.add_subparsers(dest="stage", metavar="STAGE")
    measure = stages.add_parser("measure", help="one model, even where it has a result")
    measure.add_argument("model", help="its name in params.yaml")
    stages.add_parser("table", help="the tables of the models that have a result")
    args = parser.parse_args()
    return status_of(args.stage or "models", lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    if args.stage == "measure":
        if args.model not in MODELS:
            raise ParamsError(f"there is no model {args.model!r}; there are {', '.join(MODELS)}")
        _measure(args.model)
        return
    if args.stage is None:
        _measure_all()
    results = {each.model: each for each in read_named_results(RESULTS, ModelResult, "measure")}
    print(write_tables(results, Path("table.md")))


def _measure_all() -> None:
    missing = [model for model in MODELS if not (RESULTS / f"{model}.json").exists()]
    failed = []
    for model in tqdm(missing, desc="models", unit="model"):
        tqdm.write(model)
        # In a process of its own: memory that one model took would count for the next.
        if subprocess.run([sys.executable, "-m", "studies.models", "measure", model], check=False).returncode:
            failed.append(model)
    if failed:
        raise PipelineError(f"failed, see above: {', '.join(failed)}; the same command tries these again")


def _measure(model: str) -> None:
    # Imported where they are needed: the tables must not pay for TensorFlow.
    from studies.models.native import native_cost  # noqa: PLC0415
    from studies.models.small import draw_sample, small_run  # noqa: PLC0415

    native = native_cost(model)
    draw_sample()
    result = ModelResult(
        model=model,
        code=code_version("studies/models/*.py"),
        cores=usable_cores(),
        small=small_run(model),
        native=native,
    )
    RESULTS.mkdir(exist_ok=True)
    write_artifact(RESULTS / f"{model}.json", result)


if __name__ == "__main__":
    sys.exit(main())
