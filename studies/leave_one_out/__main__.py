"""`python -m studies.leave_one_out`, in the project's folder: figures where images are too few for a test split."""

import argparse
import sys
from pathlib import Path

from studies.command import status_of


def main() -> int:
    """Train once for each image, score it, print and write the figures; 0 when it ended well."""
    parser = argparse.ArgumentParser(
        prog="python -m studies.leave_one_out",
        description="Train with params.yaml once for each image of data/validated, on all that are not similar to it, "
        "and score the image that was left out. A killed run goes on when started again.",
    )
    parser.add_argument("--out", type=Path, default=Path("metrics/leave_one_out.json"), help="where the figures go")
    parser.add_argument("--most", type=int, default=15, help="refuse more images than this: each is a training")
    args = parser.parse_args()
    return status_of("leave_one_out", lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    from studies.leave_one_out.run import leave_one_out  # noqa: PLC0415 - imports TensorFlow, which --help must not wait for

    print(leave_one_out(args.out, most=args.most))


if __name__ == "__main__":
    sys.exit(main())
