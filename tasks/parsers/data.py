"""The options of commands that are about the data and the runs: explain, compare, diff, convert."""

import argparse
from pathlib import Path

from tasks.formats.writers import WRITTEN_FORMATS
from tasks.params import FORMATS
from tasks.parsers.shared import Commands, add_command, add_params


def add_explain(commands: Commands) -> None:
    """One image or annotation file."""
    example = "explain scene_0002.jpg"
    command = add_command(commands, "explain", "print all that is known of one image or annotation file", example)
    command.add_argument("file", metavar="FILE", help="the end of its path is enough")
    add_params(command, "its sections: paths, split")


def add_two_runs(commands: Commands) -> None:
    """Compare and diff, which take the same."""
    for name, what, example in (
        ("compare", "whether one run is better than another by more than chance", "main . --out compare.md"),
        ("diff", "what changed in the data between two runs", "HEAD~1 HEAD"),
    ):
        command = add_command(commands, name, f"report {what}", f"{name} {example}")
        for run in ("before", "after"):
            command.add_argument(
                run, metavar=run.upper(), help="a git revision, a DVC experiment, or a project's folder"
            )
        page = Path(f"{name}.html")
        kinds = "a page (.html) or Markdown (.md); default: %(default)s"
        command.add_argument("--out", type=Path, metavar="FILE", default=page, help=kinds)
        if name == "compare":
            _add_explaining(command)


def _add_explaining(command: argparse.ArgumentParser) -> None:
    explain = (
        "say how much of the difference the data explain, and how much the params: trains a run with the data of AFTER "
        "and the params of BEFORE, where DVC's cache has none"
    )
    command.add_argument("--explain", action="store_true", help=explain)
    both = (
        "with --explain: train the run with the data of BEFORE and the params of AFTER, too; the mean over both orders"
    )
    command.add_argument("--both-orders", action="store_true", help=both)


def add_convert(commands: Commands) -> None:
    """From one format of annotations to another."""
    example = "convert annotations/ yolo/ --images images/ --to yolo"
    command = add_command(
        commands, "convert", "write annotations in another format, and print what it cannot hold", example
    )
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
