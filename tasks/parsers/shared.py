"""What several commands' parsers are made of."""

import argparse
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(commands: Commands, name: str, help: str, example: str) -> argparse.ArgumentParser:
    """The parser of a command, whose help ends with an example."""
    return commands.add_parser(
        name,
        help=help,
        description=help,
        epilog=f"example: python -m tasks {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_params(command: argparse.ArgumentParser, what: str) -> None:
    """The option for another file than params.yaml; `what` names the sections that the command reads."""
    command.add_argument(
        "--params", type=Path, metavar="FILE", default=Path("params.yaml"), help=f"{what}; default: %(default)s"
    )
