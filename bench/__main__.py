"""`make bench`: measure, and print what was measured in lines that can be quoted."""

import argparse
import os
import platform
import tempfile
from pathlib import Path

from bench.conversion import compare_conversion
from bench.generated import generate
from bench.processes import ROOT
from bench.scale import measure_scale
from bench.validation import compare_validation

_PARTS = ("conversion", "validation", "scale")
_REAL = ROOT.parent / "shared" / "datasets" / "ppe_covid"


def main() -> None:
    """Run the wanted parts one after another."""
    args = _parser().parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; medians, (least to most)")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=args.room) as folder:
        room = Path(folder)
        data = args.data
        if args.generated or not data.is_dir():
            data = room / "generated"
            generate(data, args.generated or 366)
        for part in args.parts or _PARTS:
            place = room / part
            place.mkdir()
            if part == "conversion":
                lines = compare_conversion(data.absolute(), place, args.repeats)
            elif part == "validation":
                lines = compare_validation(data.absolute(), place, args.repeats)
            else:
                lines = measure_scale(args.images, place)
            print("\n".join(lines), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory beside the stock tools.")
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], metavar="PART", help=f"{', '.join(_PARTS)}; all")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each comparison (5)")
    parser.add_argument(
        "--images", type=int, nargs="+", default=[1000, 10_000], help="sizes to scale over (1000 10000)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=_REAL,
        help="a folder with Pascal VOC and its images; generated where there is none",
    )
    parser.add_argument("--generated", type=int, help="compare on so many generated images instead of --data")
    parser.add_argument("--room", type=Path, help="where temporary files go: 100,000 images take 6 GB")
    return parser


if __name__ == "__main__":
    main()
