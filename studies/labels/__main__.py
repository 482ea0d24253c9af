"""`python -m studies.labels data|review|objectlab|table`: what dvc.yaml runs, in the folder that has a trials.yaml."""

import argparse
import sys
from pathlib import Path

from studies.command import status_of
from studies.labels.params import read_labels_params
from tasks.errors import ParamsError

RESULTS, OBJECTLAB = Path("results"), Path("objectlab")


def main() -> int:
    """Run one stage; 0 when it ended well, 1 when there is something to mend."""
    args = _parser().parse_args()
    return status_of(args.stage, lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    study = read_labels_params(args.trials)
    # Imported where they are needed: the table must not pay for scipy and what a review needs.
    if args.stage == "table":
        from studies.labels.table import write_table  # noqa: PLC0415

        print(write_table(RESULTS, OBJECTLAB, Path("table.json"), Path("table.md")))
        return
    if args.data not in study.data:
        raise ParamsError(f"{args.trials}: no data `{args.data}`; there are: {', '.join(study.data)}")
    from studies.labels.run import objectlab, prepare, review  # noqa: PLC0415

    if args.stage == "data":
        prepare(args.data, study.data[args.data], study)
    elif args.stage == "review":
        print(review(args.data, args.seed, study, RESULTS).model_dump_json(indent=1))
    else:
        print(objectlab(args.data, args.seed, OBJECTLAB).model_dump_json(indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.labels", description=__doc__)
    parser.add_argument("--trials", type=Path, default=Path("trials.yaml"), help="default: %(default)s")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    data = stages.add_parser("data", help="the labels of one data set, through the gate")
    data.add_argument("data", help="its name in trials.yaml")
    for name, help_ in (
        ("review", "plant mistakes into one data set, and look for them"),
        ("objectlab", "the same detections through ObjectLab"),
    ):
        stage = stages.add_parser(name, help=help_)
        stage.add_argument("data", help="its name in trials.yaml")
        stage.add_argument("seed", type=int, help="of what is planted")
    stages.add_parser("table", help="table.json and table.md of the runs that have ended")
    return parser


if __name__ == "__main__":
    sys.exit(main())
