"""The command line, `python -m tasks COMMAND`: the stages that dvc.yaml runs, and what a person runs besides.

A command that is no stage is the function of its name in `tasks/commands/` (`_` for `-`), called with the options as
keyword arguments. Its module is imported when it runs: stages must not pay for numpy, matplotlib and scipy.
"""

# First of all: what is imported below takes a second, in which dvc may be killed.
from tasks.ground.process import die_with_dvc, end_at_ctrl_c

if __name__ == "__main__":
    end_at_ctrl_c()
    die_with_dvc()

import sys
from importlib.util import find_spec

if find_spec("pydantic") is None:
    sys.exit(
        f"tasks: {sys.executable} has none of this project's packages: run `make setup`, then `. .venv/bin/activate`; "
        "or write .venv/bin/python in place of python"
    )

# Next, before what it hashes is imported.
from tasks.ground.stage_inputs import StageInputs, mark_code

_CODE = mark_code()

import argparse
import errno
import os
import time
from pathlib import Path
from typing import TypeAlias

from tasks.errors import BusyError, PipelineError, UnreachableError
from tasks.formats.writers import WRITTEN_FORMATS
from tasks.ground.imports import import_object
from tasks.ground.ports import port_number
from tasks.ground.process import CTRL_C_STATUS, collect_garbage_seldom, raise_at_ctrl_c, silence_libraries
from tasks.ground.text import print_text
from tasks.lint.paths import refuse_unsafe_paths
from tasks.params import FORMATS, read_params
from tasks.prediction.kinds import KINDS
from tasks.stages.table import STAGES, run_stage

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_REMEDIES = {
    errno.ENOSPC: "make room on the disk",
    errno.EACCES: "see who may read and write there",
    errno.EROFS: "see who may read and write there",
    errno.ENAMETOOLONG: "give it a shorter name, or move it to a shorter path",
    errno.EISDIR: "move this folder away, as a file belongs there",
    errno.ENOTDIR: "move this file away, as a folder belongs there",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it ended well, 1 when the user has something to mend, 75 when it may pass by itself, 130 after Ctrl-C.
    """
    arguments = vars(parser().parse_args(argv))
    command = arguments.pop("command")
    silence_libraries()
    collect_garbage_seldom()
    try:
        if command in STAGES:
            _run_stage(command, **arguments)
        else:
            function = command.replace("-", "_")
            import_object(f"tasks.commands.{function}:{function}")(**arguments)
    except PipelineError as error:
        print_text(f"{command}: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL if isinstance(error, (UnreachableError, BusyError)) else 1
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        print_text(f"{command}: {error}: {remedy}, then run it again", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print_text(f"{command}: {str(stop) or 'stopped'}", file=sys.stderr)
        return CTRL_C_STATUS
    return 0


def _run_stage(name: str, params: Path) -> None:
    start = time.monotonic()
    inputs = StageInputs(name, params, _CODE)
    values = read_params(params)
    inputs.refuse_changed_params()
    refuse_unsafe_paths(values)
    figures = run_stage(name, values)
    inputs.refuse_changed()
    listed = ", ".join(
        f"{key} {round(value, 4) if isinstance(value, float) else value}" for key, value in figures.items()
    )
    print_text(f"{name}: done in {time.monotonic() - start:.1f} s ({listed})")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; it gives `command` and the keyword arguments of its function."""
    parser = argparse.ArgumentParser(
        prog="python -m tasks",
        description="One stage of the pipeline, or a command for people. `dvc repro` runs all stages in their order, "
        "and only where something changed.",
        epilog="example: python -m tasks predict photos/",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, stage in STAGES.items():
        command = _add(commands, name, f"stage: {stage.help}", example=name)
        _add_params(command, f"its sections: {', '.join(stage.sections)}")
    _add_annotate(commands)
    _add_predict(commands)
    _add_predict_folder(commands)
    _add_explain(commands)
    _add_two_runs(commands)
    _add_convert(commands)
    summary = _add(commands, "summary", "print the figures of the last run", example="summary")
    _add_params(summary, "its section: paths")
    clean = _add(commands, "clean", "remove what the stages wrote, and nothing else", example="clean --dry-run")
    clean.add_argument("--dry-run", action="store_true", help="print what would be removed, and remove nothing")
    _add_params(clean, "its section: paths")
    cache = _add(commands, "cache", "check that DVC's cache holds every result of dvc.lock", example="cache --verify")
    cache.add_argument("--verify", action="store_true", help="read every file there, and compare its MD5")
    check = _add(commands, "check", "check params.yaml: its keys, values and paths", example="check")
    _add_params(check, "all its sections")
    doctor = _add(
        commands, "doctor", "find out what this machine has, what works on it, and what to do about the rest", "doctor"
    )
    doctor.add_argument("--quick", action="store_true", help="do not train on each device, nor export")
    _add_params(doctor, "its sections: model, train, export")
    return parser


def _add(commands: Commands, name: str, help: str, example: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=help,
        description=help,
        epilog=f"example: python -m tasks {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_params(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--params", type=Path, metavar="FILE", default=Path("params.yaml"), help=f"{what}; default: %(default)s"
    )


def _add_annotate(commands: Commands) -> None:
    example = "annotate photos --classes cat dog"
    command = _add(commands, "annotate", "draw boxes in Label Studio; `make annotate` installs it first", example)
    command.add_argument("images", type=Path, metavar="FOLDER", help="with the images, also in its subfolders")
    command.add_argument("--classes", nargs="+", default=[], metavar="NAME", help="default: those of the model")
    command.add_argument(
        "--out", type=Path, metavar="FILE", default=Path("annotations.json"), help="default: %(default)s"
    )
    command.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="an exported model, for first drafts of these classes; default: models/exported, if it exists",
    )
    command.add_argument("--port", type=port_number, default=8080, help="default: %(default)s")


def _add_predict(commands: Commands) -> None:
    example = "predict photos/ --score-threshold 0.4"
    command = _add(commands, "predict", "draw and list what the exported detector finds in images", example)
    command.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help="image, folder, 'pattern/**/*.jpg' or video"
    )
    _add_detecting(command)
    command.add_argument("--out", type=Path, metavar="FOLDER", default=Path("predictions"), help="default: %(default)s")
    command.add_argument(
        "--write",
        nargs="+",
        choices=list(KINDS),
        default=["pictures", "json"],
        help="voc: XML to correct and learn from; gif: all pictures as one animation; default: pictures json",
    )
    command.add_argument(
        "--slice",
        type=int,
        metavar="PX",
        dest="slice_px",
        help="detect larger photos in tiles of this many pixels too, for small objects: predict drone/ --slice 640",
    )
    command.add_argument(
        "--slice-overlap",
        type=float,
        metavar="0..0.8",
        help="with --slice: share of its side that a tile has in common with its neighbour; default: 0.2",
    )
    command.add_argument(
        "--every", type=int, default=1, metavar="N", help="take every Nth frame of a video; default: %(default)s"
    )
    command.add_argument(
        "--fps", type=float, default=5.0, metavar="N", help="pictures a second in the GIF; default: %(default)g"
    )


def _add_detecting(command: argparse.ArgumentParser) -> None:
    """The options that all commands that detect have."""
    command.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER|FILE",
        default=Path("models/exported"),
        help="an export folder, or one of its .tflite or .onnx files; default: %(default)s",
    )
    command.add_argument(
        "--score-threshold",
        type=float,
        metavar="0..1",
        help="lowest score that is shown; default: that of thresholds.json in the model's folder, else 0.3",
    )
    command.add_argument(
        "--batch-size",
        type=int,
        default=8,
        metavar="N",
        help="images detected together, fewer where they are large; default: %(default)s",
    )
    command.add_argument(
        "--trust", action="store_true", help="load a model that may read or write files: a model is a program"
    )


def _add_predict_folder(commands: Commands) -> None:
    example = "predict-folder photos/"
    command = _add(commands, "predict-folder", "detect in the photos of a folder that are new, each once", example)
    command.add_argument("folder", type=Path, metavar="FOLDER", help="into which photos are put, also into subfolders")
    command.add_argument("--out", type=Path, metavar="FOLDER", help="for the results; default: FOLDER/predictions")
    command.add_argument("--draw", action="store_true", help="also write each photo with its boxes; see --again")
    command.add_argument(
        "--again",
        action="store_true",
        help="also do photos again that were done with another model or score threshold, or without --draw",
    )
    command.add_argument(
        "--settle",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="leave photos for the next run that changed within so many seconds; default: %(default)g",
    )
    command.add_argument("--summary", type=Path, metavar="FILE", help="also write what was done as JSON")
    _add_detecting(command)


def _add_explain(commands: Commands) -> None:
    example = "explain scene_0002.jpg"
    command = _add(commands, "explain", "print all that is known of one image or annotation file", example)
    command.add_argument("file", metavar="FILE", help="the end of its path is enough")
    _add_params(command, "its sections: paths, split")


def _add_two_runs(commands: Commands) -> None:
    for name, what, example in (
        ("compare", "whether one run is better than another by more than chance", "main . --out compare.md"),
        ("diff", "what changed in the data between two runs", "HEAD~1 HEAD"),
    ):
        command = _add(commands, name, f"report {what}", f"{name} {example}")
        for run in ("before", "after"):
            command.add_argument(
                run, metavar=run.upper(), help="a git revision, a DVC experiment, or a project's folder"
            )
        page = Path(f"{name}.html")
        kinds = "a page (.html) or Markdown (.md); default: %(default)s"
        command.add_argument("--out", type=Path, metavar="FILE", default=page, help=kinds)


def _add_convert(commands: Commands) -> None:
    example = "convert annotations/ yolo/ --images images/ --to yolo"
    command = _add(commands, "convert", "write annotations in another format, and print what it cannot hold", example)
    files, folders = (
        ", ".join(name for name, written in WRITTEN_FORMATS.items() if written.is_folder == is_folder)
        for is_folder in (False, True)
    )
    command.add_argument("source", type=Path, metavar="SOURCE", help="as ingest.source in params.yaml")
    command.add_argument("out", type=Path, metavar="OUT", help=f"a new file ({files}) or a new folder ({folders})")
    command.add_argument("--to", required=True, choices=list(WRITTEN_FORMATS))
    command.add_argument(
        "--format", default="auto", choices=FORMATS, help="of SOURCE, as ingest.format; default: %(default)s"
    )
    command.add_argument(
        "--images", type=Path, metavar="FOLDER", help="as ingest.images; default: the folder of SOURCE"
    )
    command.add_argument("--copy-images", action="store_true", help="yolo: copy the images to OUT/images")


if __name__ == "__main__":
    raise_at_ctrl_c()
    sys.exit(main())
