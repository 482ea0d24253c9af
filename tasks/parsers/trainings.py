"""The options of commands that train besides the stage train: learning-curve."""

from pathlib import Path

from tasks.parsers.shared import Commands, add_command, add_params


def add_learning_curve(commands: Commands) -> None:
    """What more labelled images would bring."""
    example = "learning-curve --steps 150"
    command = add_command(
        commands, "learning-curve", "find out how much more labelled images would bring, by training on fewer", example
    )
    command.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=[25, 50, 100],
        metavar="PERCENT",
        help="of the training images, rising, the last 100; default: 25 50 100",
    )
    command.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="trainings on each size, 2 or more; default: %(default)s"
    )
    command.add_argument("--steps", type=int, metavar="N", help="of each training; default: train.steps of the params")
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("reports/learning_curve.html"),
        help="the page; the figures go beside it, as .json; default: %(default)s",
    )
    add_params(command, "its sections: paths, split, model, train")
