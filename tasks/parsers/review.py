"""The options of `review`."""

from pathlib import Path

from tasks.parsers.shared import Commands, add_command, add_params


def add_review(commands: Commands) -> None:
    """Labels that are probably wrong."""
    command = add_command(
        commands, "review", "list the labels that are probably wrong, by short trainings without each image", "review"
    )
    command.add_argument(
        "--folds",
        type=int,
        default=4,
        metavar="2..20",
        help="how many trainings, each without a part of the images; default: %(default)s",
    )
    length = command.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, metavar="N", help="of each training; default: 200")
    length.add_argument(
        "--minutes", type=float, metavar="N", help="about how long all trainings may take together, in place of --steps"
    )
    command.add_argument(
        "--count", type=int, default=200, metavar="N", help="show at most so many suspects; default: %(default)s"
    )
    command.add_argument(
        "--keep",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="labels that are right, saved from the page or exported from Label Studio: never shown again",
    )
    command.add_argument(
        "--kept",
        type=Path,
        metavar="FILE",
        help="where kept labels are remembered; default: review_kept.json beside splits.json",
    )
    command.add_argument("--out", type=Path, metavar="FOLDER", default=Path("reports"), help="default: %(default)s")
    add_params(command, "all its sections")
