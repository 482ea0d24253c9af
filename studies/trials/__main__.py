"""`python -m studies.trials data|train|table`: what a study's dvc.yaml runs, in the folder that has a trials.yaml.

`run` brings all runs up to date, several at a time.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from studies.command import status_of
from studies.stages import prepare_data
from studies.trials.params import changes_of, read_trials_params, steps_of
from studies.trials.result import Trial
from tasks.errors import ParamsError
from tasks.ground.process import usable_cores

RESULTS = Path("results")


def main() -> int:
    """Run one stage; 0 when it ended well, 1 when there is something to mend."""
    args = _parser().parse_args()
    return status_of(args.stage, lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    params = read_trials_params(Path("trials.yaml"))
    # Imported where they are needed: data and table must not pay for TensorFlow.
    if args.stage == "table":
        from studies.trials.table import write_table  # noqa: PLC0415

        against = next(iter(params.arms))
        steps = partial(steps_of, params=params)
        print(write_table(RESULTS, Path("table.json"), Path("table.md"), against=against, steps_of=steps))
        return
    if args.stage == "run":
        from studies.trials.side_by_side import run_trials  # noqa: PLC0415

        jobs = usable_cores() if args.jobs is None else args.jobs
        if jobs < 1:
            raise ParamsError(f"--jobs {jobs}: at least one run at a time")
        print(f"{run_trials(params, jobs)} runs have ended")
        return
    if args.data not in params.data:
        raise ParamsError(f"trials.yaml: no data `{args.data}`; there are: {', '.join(params.data)}")
    if args.stage == "data":
        prepare_data(args.data, params.data[args.data])
        return
    from studies.trials.run import train_and_score  # noqa: PLC0415

    if args.arm not in params.arms:
        raise ParamsError(f"trials.yaml: no arm `{args.arm}`; there are: {', '.join(params.arms)}")
    trial = Trial(args.data, args.arm, args.steps, args.seed)
    print(train_and_score(trial, changes_of(trial, params), params.scored_on, RESULTS))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.trials", description=__doc__)
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    data = stages.add_parser("data", help="gate, split and records of one data set")
    data.add_argument("data", help="its name in trials.yaml")
    train = stages.add_parser("train", help="one run, and its score")
    train.add_argument("data", help="its name in trials.yaml")
    train.add_argument("arm", help="its name in trials.yaml")
    train.add_argument("steps", type=int, help="number of training steps")
    train.add_argument("seed", type=int, help="of new layers, order and augmentation")
    stages.add_parser("table", help="table.json and table.md: mean and spread over seeds of the runs that have ended")
    run = stages.add_parser("run", help="every run that is out of date, several at a time, by `dvc repro`")
    run.add_argument("--jobs", type=int, help="how many at a time (one for each core); they share the cores")
    return parser


if __name__ == "__main__":
    sys.exit(main())
