"""The commands that the parser knows."""

import argparse

from tasks.parsers import parser

(_COMMANDS,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
COMMANDS: tuple[str, ...] = tuple(_COMMANDS.choices)
