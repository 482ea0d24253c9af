"""The parser of the command line: an option of a command is a keyword argument of its function in `tasks/commands/`."""

import argparse

from tasks.parsers.data import add_convert, add_explain, add_two_runs
from tasks.parsers.housekeeping import add_housekeeping
from tasks.parsers.photos import add_annotate, add_predict, add_predict_folder, add_suggest
from tasks.parsers.review import add_review
from tasks.parsers.shared import add_command, add_params
from tasks.parsers.trainings import add_learning_curve
from tasks.stages.table import STAGES


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
        command = add_command(commands, name, f"stage: {stage.help}", example=name)
        add_params(command, f"its sections: {', '.join(stage.sections)}")
    add_annotate(commands)
    add_suggest(commands)
    add_predict(commands)
    add_predict_folder(commands)
    add_explain(commands)
    add_two_runs(commands)
    add_convert(commands)
    add_review(commands)
    add_learning_curve(commands)
    add_housekeeping(commands)
    return parser
