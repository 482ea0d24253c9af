"""`python -m tasks STAGE`: what dvc.yaml runs; `predict`, `compare` and others: what a person runs."""

import argparse
import errno
import os
import sys
import time
from importlib import import_module
from pathlib import Path

from tasks.commands.summary import summary
from tasks.errors import PipelineError, UnreachableError
from tasks.ground.process import die_with_parent, quiet
from tasks.ground.text import tell
from tasks.params import FORMATS, read_params
from tasks.stages.table import STAGES, run_stage

# Each a function in a module of its name, imported when it is asked for: stages must not pay for matplotlib and scipy.
_FOR_PEOPLE = ("annotate", "predict", "compare", "convert")
_REMEDIES = {
    errno.ENOSPC: "make room on the disk",
    errno.EACCES: "see who may read and write there",
    errno.EROFS: "see who may read and write there",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 when it ended well, 1 when the user has something to mend, 75 when it may pass by itself."""
    args = _parser().parse_args(argv)
    quiet()
    try:
        if args.command in _FOR_PEOPLE:
            getattr(import_module(f"tasks.commands.{args.command}"), args.command)(args)
        elif args.command == "summary":
            tell(summary(read_params(args.params).paths))
        elif getattr(args, "explain", None):
            from tasks.commands.explain import explain  # noqa: PLC0415 - imports scipy: stages must not pay for it

            params = read_params(args.params)
            tell(explain(params.paths, args.explain, params.split.near_duplicate_distance))
        else:
            _run(args.command, args.params)
    except PipelineError as error:
        tell(f"{args.command}: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL if isinstance(error, UnreachableError) else 1
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        tell(f"{args.command}: {error}: {remedy}, then run it again", file=sys.stderr)
        return 1
    return 0


def _run(name: str, params_path: Path) -> None:
    if "DVC_STAGE" in os.environ:
        die_with_parent()  # DVC would not wait for a stage that outlived it, and the next run would meet it
    start = time.monotonic()
    figures = run_stage(name, read_params(params_path))
    shown = ", ".join(f"{key} {value}" for key, value in figures.items())
    print(f"{name}: done in {time.monotonic() - start:.1f} s ({shown})")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tasks",
        description="One stage of the pipeline. `dvc repro` runs them all, in order, and only where something changed.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, stage in STAGES.items():
        module = stage.function.split(":")[0]
        command = commands.add_parser(name, help=f"stage: {module} ({', '.join(stage.sections)} in params.yaml)")
        command.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
        if name == "validate":
            command.add_argument("--explain", metavar="FILE", help="tell all that is known of one image or annotation")
    shown = commands.add_parser("summary", help="print the figures of the last run")
    shown.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    _add_annotate(commands)
    _add_predict(commands)
    _add_compare(commands)
    _add_convert(commands)
    return parser


def _add_annotate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("annotate", help="draw boxes in Label Studio (by way of `make annotate`)")
    command.add_argument("images", type=Path, metavar="FOLDER", help="with the images, its subfolders' too")
    command.add_argument("--classes", nargs="+", default=[], metavar="NAME", help="default: those of the model")
    command.add_argument("--out", type=Path, default=Path("annotations.json"), help="default: annotations.json")
    command.add_argument(
        "--model", type=Path, help="drafts boxes of these classes; default: models/exported, if it is there"
    )
    command.add_argument("--port", type=int, default=8080, help="default: 8080")


def _add_predict(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("predict", help="draw and list what the exported detector sees in images")
    command.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help="image, folder, 'pattern/**/*.jpg' or video"
    )
    command.add_argument("--model", type=Path, default=Path("models/exported"), help="default: models/exported")
    command.add_argument("--out", type=Path, default=Path("predictions"), help="default: predictions")
    command.add_argument(
        "--score-threshold", type=float, metavar="0..1", help="default: what MODEL/thresholds.json says, else 0.3"
    )
    command.add_argument(
        "--batch-size", type=int, default=8, help="images detected together, fewer where they are large; default: 8"
    )
    command.add_argument(
        "--write",
        nargs="+",
        choices=["pictures", "json", "voc", "csv", "gif"],
        default=["pictures", "json"],
        help="voc: XML to correct and learn from; gif: all pictures as one animation; default: pictures json",
    )
    command.add_argument("--tflite", action="store_true", help="run model.tflite instead of the SavedModel")
    command.add_argument("--every", type=int, default=1, metavar="N", help="of videos every Nth frame; default: 1")
    command.add_argument("--fps", type=float, default=5.0, help="pictures a second in the GIF; default: 5")


def _add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("compare", help="say whether a run is better than another by more than chance")
    for name in ("before", "after"):
        command.add_argument(name, metavar=name.upper(), help="a git revision, a DVC experiment, or a project's folder")
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("compare.html"),
        help="a page (.html) or Markdown (.md); default: compare.html",
    )


def _add_convert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("convert", help="write annotations in another format, and say what that cannot hold")
    command.add_argument("source", type=Path, metavar="SOURCE", help="as ingest.source in params.yaml")
    command.add_argument(
        "out", type=Path, metavar="OUT", help="a file (csv, coco) or a folder (voc, yolo), not there yet"
    )
    command.add_argument("--to", required=True, choices=["voc", "csv", "coco", "yolo"])
    command.add_argument("--format", default="auto", choices=FORMATS, help="of SOURCE, as ingest.format; default: auto")
    command.add_argument(
        "--images", type=Path, metavar="FOLDER", help="as ingest.images; default: the folder of SOURCE"
    )
    command.add_argument("--copy-images", action="store_true", help="yolo: copy the images to OUT/images")


if __name__ == "__main__":
    sys.exit(main())
