"""Checking params.yaml before DVC starts: it removes what stands at a stage's paths before the stage could look."""

from pathlib import Path

from tasks.ground.text import print_text
from tasks.lint.paths import refuse_unsafe_paths
from tasks.params import read_params


def check(*, params: Path) -> None:
    """Check keys, values and paths of the file `params`.

    Raises:
        ParamsError: a key is missing, misspelt or out of range, or a path lies over what no stage wrote.
    """
    refuse_unsafe_paths(read_params(params))
    print_text(f"{params} is valid")
