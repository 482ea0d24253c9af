"""The command line without root's rights, to which no file is protected."""

import os
from collections.abc import Sequence

from tasks.__main__ import main

_NOBODY = 65534


def run(arguments: Sequence[str]) -> int:
    """As `main`, by a user who owns nothing where root would run it."""
    if os.geteuid() == 0:
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    return main(list(arguments))
