"""`make bench`: measure, and print what was measured in lines that can be quoted."""

import argparse
import platform
import tempfile
from pathlib import Path

from bench.conversion import compare_conversion
from bench.evaluation import compare_evaluation
from bench.generated import generate
from bench.prediction import compare_prediction
from bench.processes import ROOT
from bench.scale import measure_scale
from bench.training import FREEZES, compare_training
from bench.training_runs import LEAST_STEPS
from bench.validation import compare_validation
from tasks.ground.process import usable_cores

_COMPARISONS = ("conversion", "validation", "evaluation", "scale", "predict", "train", "parity")
# Training takes minutes a run, and runs longer than the others differ less.
_REPEATS = {"conversion": 5, "validation": 5, "evaluation": 3, "predict": 3, "train": 3}
_WITHOUT_TURNS = ("scale", "parity")
_REAL = ROOT.parent / "shared" / "datasets" / "ppe_covid"


def main() -> None:
    """Run the comparisons one after another."""
    parser = _parser()
    args = parser.parse_args()
    if args.data and not args.data.is_dir():
        parser.error(f"--data: {args.data} is not a folder")
    if args.steps < LEAST_STEPS:
        parser.error(f"--steps: {LEAST_STEPS} at least, as the time of the first step does not count")
    if "predict" in args.comparisons and not args.model.is_dir():
        parser.error(f"predict: {_no_model(args.model)}")
    if args.room:
        args.room.mkdir(parents=True, exist_ok=True)
    print(f"{platform.machine()}, {usable_cores()} cores, Python {platform.python_version()}; medians, (least to most)")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=args.room) as temporary:
        folder = Path(temporary)
        for name in args.comparisons or _COMPARISONS:
            (folder / name).mkdir()
            print("\n".join(_lines(name, args, folder)), flush=True)


def _lines(name: str, args: argparse.Namespace, folder: Path) -> list[str]:
    own = folder / name
    if name in _WITHOUT_TURNS:
        return measure_scale(args.images, own) if name == "scale" else _parity(args, own)
    repeats = args.repeats or _REPEATS[name]
    if name == "evaluation":
        return compare_evaluation(repeats)
    if name == "predict":
        return _predict(args, own, repeats)
    if name == "train":
        data = args.data and args.data.absolute()
        return compare_training(data, own, repeats, steps=args.steps, freezes=[f for f in args.freeze if f != "none"])
    compare = compare_conversion if name == "conversion" else compare_validation
    return compare(_photos(args, folder).absolute(), own, repeats)


def _predict(args: argparse.Namespace, folder: Path, repeats: int) -> list[str]:
    if not args.model.is_dir():
        return [f"predict: left out; {_no_model(args.model)}"]
    photos = args.data and args.data.absolute()
    return compare_prediction(args.model.absolute(), folder, repeats, images=args.images[0], photos=photos)


def _parity(args: argparse.Namespace, folder: Path) -> list[str]:
    # Imports TensorFlow.
    from bench.parity import compare_losses  # noqa: PLC0415

    return [line for model in args.parity for line in compare_losses(model, args.side, folder, args.rate)]


def _no_model(model: Path) -> str:
    return f"{model}: no exported model here; run `make run` first, or name one with --model FOLDER"


def _photos(args: argparse.Namespace, folder: Path) -> Path:
    """The images for conversion and validation: those of --data, else real photos, else generated ones."""
    data: Path = args.data or _REAL
    if data.is_dir() and not args.generated:
        return data
    generated = folder / "generated"
    if not generated.is_dir():
        generate(generated, args.generated or 366)
    return generated


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory beside the stock tools.")
    parser.add_argument(
        "comparisons", nargs="*", choices=[*_COMPARISONS, []], metavar="PART", help=f"{', '.join(_COMPARISONS)}; all"
    )
    parser.add_argument("--repeats", type=int, help="turns of each comparison (5; evaluation, predict and train: 3)")
    parser.add_argument(
        "--images",
        type=int,
        nargs="+",
        default=[1000, 10_000],
        help="sizes to scale over (1000 10000); predict takes the first",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        default=ROOT / "models" / "exported",
        help="predict: an exported model (models/exported)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="a folder with Pascal VOC and its images; default: real photos if there are any, else generated ones; "
        "for train the drawn sample, for predict scenes like it",
    )
    parser.add_argument(
        "--generated", type=int, help="compare on this many generated images instead (not train, not predict)"
    )
    parser.add_argument("--steps", type=int, default=300, help=f"train: steps of a run, {LEAST_STEPS} at least (300)")
    parser.add_argument(
        "--freeze",
        nargs="+",
        default=FREEZES,
        help=f"train: values of train.freeze ({' '.join(FREEZES)}); none: no such runs",
    )
    parser.add_argument(
        "--parity",
        nargs="+",
        metavar="MODEL",
        default=["ssd_mobilenet_v2_fpnlite_320x320"],
        help="parity: names of models (ssd_mobilenet_v2_fpnlite_320x320)",
    )
    parser.add_argument("--rate", type=float, default=3e-5, help="parity: the learning rate (3e-5)")
    parser.add_argument("--side", type=int, default=256, help="parity: the input's side in pixels (256)")
    parser.add_argument("--room", type=Path, help="where temporary files go: 100,000 images take 6 GB")
    return parser


if __name__ == "__main__":
    main()
