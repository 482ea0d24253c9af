"""The options of commands that take photos: annotate, suggest, predict, predict-folder."""

import argparse
from pathlib import Path

from tasks.ground.ports import port_number
from tasks.parsers.shared import Commands, add_command, add_params
from tasks.prediction.kinds import KINDS


def add_annotate(commands: Commands) -> None:
    """Boxes drawn by hand."""
    example = "annotate photos --classes cat dog"
    command = add_command(
        commands, "annotate", "draw boxes in Label Studio; `make annotate` installs it first", example
    )
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
    command.add_argument(
        "--only", type=Path, metavar="FILE", help="draw in the photos that `suggest` chose: reports/suggest.json"
    )
    command.add_argument(
        "--review",
        type=Path,
        metavar="FILE",
        help="reports/review_label_studio.json: show the images with suspects, with labels and proposals as drafts",
    )
    command.add_argument("--port", type=port_number, default=8080, help="default: %(default)s")


def add_suggest(commands: Commands) -> None:
    """Which photos to label next."""
    example = "suggest photos/ --count 20"
    command = add_command(
        commands, "suggest", "choose the photos of a folder whose boxes would help the model most", example
    )
    command.add_argument("folder", type=Path, metavar="FOLDER", help="with photos, also in its subfolders")
    command.add_argument(
        "--count", type=int, default=20, metavar="N", help="how many photos to choose; default: %(default)s"
    )
    command.add_argument("--out", type=Path, metavar="FOLDER", default=Path("reports"), help="default: %(default)s")
    command.add_argument(
        "--random-share",
        type=float,
        default=0.2,
        metavar="0..1",
        help="share of them drawn at random, to judge the choice by; default: %(default)g",
    )
    command.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of what is drawn at random; default: %(default)s"
    )
    add_model(command)
    add_params(command, "its sections: paths, split, validate")


def add_predict(commands: Commands) -> None:
    """Boxes in any pictures."""
    example = "predict photos/ --score-threshold 0.4"
    command = add_command(commands, "predict", "draw and list what the exported detector finds in images", example)
    command.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help="image, folder, 'pattern/**/*.jpg' or video"
    )
    add_detecting(command)
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


def add_predict_folder(commands: Commands) -> None:
    """Boxes in the new photos of a folder."""
    example = "predict-folder photos/"
    command = add_command(
        commands, "predict-folder", "detect in the photos of a folder that are new, each once", example
    )
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
    add_detecting(command)


def add_detecting(command: argparse.ArgumentParser) -> None:
    """The options of commands that write what they detect."""
    add_model(command)
    command.add_argument(
        "--score-threshold",
        type=float,
        metavar="0..1",
        help="lowest score that is shown; default: that of thresholds.json in the model's folder, else 0.3",
    )
    command.add_argument(
        "--alarm-rate",
        type=float,
        default=0.01,
        metavar="RATE",
        help="share of false alarms that photos are unlike the training photos; 0: no alarm; default: %(default)g",
    )


def add_model(command: argparse.ArgumentParser) -> None:
    """The options of all commands that detect."""
    command.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER|FILE",
        default=Path("models/exported"),
        help="an export folder, or one of its .tflite or .onnx files; default: %(default)s",
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
