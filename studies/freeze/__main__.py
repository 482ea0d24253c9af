"""`python -m studies.freeze data|start|train|timing|page`: what studies/freeze/dvc.yaml runs, in its folder."""

import argparse
import sys
from pathlib import Path

from studies.command import status_of
from studies.freeze.params import StudyParams, read_study_params
from studies.freeze.places import DATA, PAGE, PHOTOS, RESULTS, TIMING
from studies.stages import prepare_data
from tasks.errors import ParamsError


def main() -> int:
    """Run one stage; 0 when it ended well, 1 when there is something to mend."""
    args = _parser().parse_args()
    return status_of(args.stage, lambda: _run(args, read_study_params(Path("study.yaml"))))


def _run(args: argparse.Namespace, study: StudyParams) -> None:
    for kind, names in (("model", study.models), ("arm", study.arms)):
        name = getattr(args, kind, None)
        if name is not None and name not in names:
            raise ParamsError(f"study.yaml: no {kind} `{name}`; there are: {', '.join(names)}")
    if args.stage == "page":
        from studies.freeze.page import write_page  # noqa: PLC0415 - draws

        print(write_page(study, DATA, RESULTS, TIMING, PAGE))
        print(f"the page: {PAGE}")
        return
    if args.stage == "data":
        prepare_data(PHOTOS, study.data)
        return
    # A message about a name must not wait for TensorFlow, nor must the page.
    from studies.freeze import run, start  # noqa: PLC0415

    if args.stage == "start":
        start.start(args.model, study)
    elif args.stage == "train":
        run.train(args.model, args.arm, args.seed, study)
    else:
        run.timing(args.model, args.arm, study)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.freeze", description=__doc__)
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    stages.add_parser("data", help="gate, split and records of the photographs")
    start = stages.add_parser("start", help="the weights that a model starts from")
    train = stages.add_parser("train", help="one run, its curves and its audit")
    timing = stages.add_parser("timing", help="the time of a step of one arm without the cache")
    stages.add_parser("page", help="table.json, table.md and reports/freeze.html, from the runs that have ended")
    for each in (start, train, timing):
        each.add_argument("model", help="its name in study.yaml")
    for each in (train, timing):
        each.add_argument("arm", help="its name in study.yaml")
    train.add_argument("seed", type=int, help="of new layers, order and augmentation")
    return parser


if __name__ == "__main__":
    sys.exit(main())
