"""`make bench`: measure, and print what was measured in lines that can be quoted."""

import argparse
import platform
import tempfile
from pathlib import Path

from bench.conversion import compare_conversion
from bench.evaluation import compare_evaluation
from bench.generated import generate
from bench.processes import ROOT
from bench.scale import measure_scale
from bench.training import FREEZES, compare_training
from bench.training_runs import LEAST_STEPS
from bench.validation import compare_validation
from tasks.ground.process import usable_cores

_PARTS = ("conversion", "validation", "evaluation", "scale", "train")
# Training takes minutes a run, and runs longer than the others differ less.
_REPEATS = {"conversion": 5, "validation": 5, "evaluation": 3, "train": 3}
_REAL = ROOT.parent / "shared" / "datasets" / "ppe_covid"


def main() -> None:
    """Run the wanted parts one after another."""
    parser = _parser()
    args = parser.parse_args()
    if args.data and not args.data.is_dir():
        parser.error(f"--data: {args.data} is no folder")
    if args.steps < LEAST_STEPS:
        parser.error(f"--steps: {LEAST_STEPS} at least: the first one's time is no step's time")
    if args.room:
        args.room.mkdir(parents=True, exist_ok=True)
    print(f"{platform.machine()}, {usable_cores()} cores, Python {platform.python_version()}; medians, (least to most)")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=args.room) as folder:
        room = Path(folder)
        for part in args.parts or _PARTS:
            place = room / part
            place.mkdir()
            print("\n".join(_lines(part, args, room, place)), flush=True)


def _lines(part: str, args: argparse.Namespace, room: Path, place: Path) -> list[str]:
    if part == "scale":
        return measure_scale(args.images, place)
    repeats = args.repeats or _REPEATS[part]
    if part == "evaluation":
        return compare_evaluation(repeats)
    if part == "train":
        data = args.data and args.data.absolute()
        return compare_training(data, place, repeats, steps=args.steps, freezes=[f for f in args.freeze if f != "none"])
    compare = compare_conversion if part == "conversion" else compare_validation
    return compare(_photos(args, room).absolute(), place, repeats)


def _photos(args: argparse.Namespace, room: Path) -> Path:
    """What conversion and validation read: what was asked for, else real photos, else generated ones."""
    data: Path = args.data or _REAL
    if data.is_dir() and not args.generated:
        return data
    generated = room / "generated"
    if not generated.is_dir():
        generate(generated, args.generated or 366)
    return generated


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory beside the stock tools.")
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], metavar="PART", help=f"{', '.join(_PARTS)}; all")
    parser.add_argument("--repeats", type=int, help="turns of each comparison (5; evaluation, train: 3)")
    parser.add_argument(
        "--images", type=int, nargs="+", default=[1000, 10_000], help="sizes to scale over (1000 10000)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="a folder with Pascal VOC and its images; where it is not given, real photos where there are any, else "
        "generated ones; for train the drawn sample",
    )
    parser.add_argument("--generated", type=int, help="compare on so many generated images instead (not train)")
    parser.add_argument("--steps", type=int, default=300, help=f"train: steps of a run, {LEAST_STEPS} at least (300)")
    parser.add_argument(
        "--freeze",
        nargs="+",
        default=FREEZES,
        help=f"train: values of train.freeze ({' '.join(FREEZES)}); none: no such runs",
    )
    parser.add_argument("--room", type=Path, help="where temporary files go: 100,000 images take 6 GB")
    return parser


if __name__ == "__main__":
    main()
