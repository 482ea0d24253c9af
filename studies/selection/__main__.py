"""`python -m studies.selection data|rounds|table`: what dvc.yaml runs, in the folder that has a trials.yaml."""

import argparse
import sys
from pathlib import Path

from studies.command import status_of
from studies.selection.params import read_selection_params
from tasks.errors import ParamsError

RESULTS = Path("results")


def main() -> int:
    """Run one stage; 0 when it ended well, 1 when there is something to mend."""
    args = _parser().parse_args()
    return status_of(args.stage, lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    study = read_selection_params(args.trials)
    # Imported where they are needed: the table must not pay for TensorFlow.
    if args.stage == "table":
        from studies.selection.table import write_table  # noqa: PLC0415

        print(write_table(RESULTS, Path("table.json"), Path("table.md"), study.methods))
        return
    if args.data not in study.data:
        raise ParamsError(f"{args.trials}: no data `{args.data}`; there are: {', '.join(study.data)}")
    if args.stage == "data":
        from studies.selection.data import prepare  # noqa: PLC0415

        prepare(args.data, study.data[args.data])
        return
    from studies.selection.run import run_rounds  # noqa: PLC0415

    run_rounds(args.data, args.seed, study, args.results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.selection", description=__doc__)
    parser.add_argument("--trials", type=Path, default=Path("trials.yaml"), help="default: %(default)s")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    data = stages.add_parser("data", help="gate, split, records and vectors of one data set")
    data.add_argument("data", help="its name in trials.yaml")
    rounds = stages.add_parser("rounds", help="all methods on one data set with one seed")
    rounds.add_argument("data", help="its name in trials.yaml")
    rounds.add_argument("seed", type=int, help="of the start, of what is drawn, and of the training")
    rounds.add_argument("--results", type=Path, default=RESULTS, help="default: %(default)s")
    stages.add_parser("table", help="table.json and table.md of the runs that have ended")
    return parser


if __name__ == "__main__":
    sys.exit(main())
