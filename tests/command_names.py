"""The commands that the parser knows."""

import argparse

from tasks.__main__ import parser

(_COMMANDS,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
COMMANDS: tuple[str, ...] = tuple(_COMMANDS.choices)
