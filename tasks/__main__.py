"""The command line, `python -m tasks COMMAND`: the stages that dvc.yaml runs, and what a person runs besides.

A command that is no stage is the function of its name in `tasks/commands/` (`_` for `-`), called with the options as
keyword arguments. Its module is imported when it runs: stages must not pay for numpy, matplotlib and scipy.
"""

# First of all: what is imported below takes a second, in which dvc may be killed.
from tasks.ground.process import die_with_dvc, end_at_ctrl_c

if __name__ == "__main__":
    end_at_ctrl_c()
    die_with_dvc()

import sys
from importlib.util import find_spec

if find_spec("pydantic") is None:
    sys.exit(
        f"tasks: {sys.executable} has none of this project's packages: run `make setup`, then `. .venv/bin/activate`; "
        "or write .venv/bin/python in place of python"
    )

# Next, before what it hashes is imported.
from tasks.ground.stage_inputs import StageInputs, mark_code

_CODE = mark_code()

import errno
import os
import time
from pathlib import Path

from tasks.errors import BusyError, PipelineError, UnreachableError
from tasks.ground.imports import import_object
from tasks.ground.process import CTRL_C_STATUS, collect_garbage_seldom, raise_at_ctrl_c, silence_libraries
from tasks.ground.text import print_text
from tasks.lint.paths import refuse_unsafe_paths
from tasks.params import read_params
from tasks.parsers import parser
from tasks.stages.table import STAGES, run_stage

_REMEDIES = {
    errno.ENOSPC: "make room on the disk",
    errno.EACCES: "see who may read and write there",
    errno.EROFS: "see who may read and write there",
    errno.ENAMETOOLONG: "give it a shorter name, or move it to a shorter path",
    errno.EISDIR: "move this folder away, as a file belongs there",
    errno.ENOTDIR: "move this file away, as a folder belongs there",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it ended well, 1 when the user has something to mend, 75 when it may pass by itself, 130 after Ctrl-C.
    """
    arguments = vars(parser().parse_args(argv))
    command = arguments.pop("command")
    silence_libraries()
    collect_garbage_seldom()
    try:
        if command in STAGES:
            _run_stage(command, **arguments)
        else:
            function = command.replace("-", "_")
            import_object(f"tasks.commands.{function}:{function}")(**arguments)
    except PipelineError as error:
        print_text(f"{command}: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL if isinstance(error, (UnreachableError, BusyError)) else 1
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        print_text(f"{command}: {error}: {remedy}, then run it again", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        # What a stage saved on its way is kept: the same command starts there.
        stopped = "stopped; the same command goes on" if command in STAGES else "stopped"
        print_text(f"{command}: {str(stop) or stopped}", file=sys.stderr)
        return CTRL_C_STATUS
    return 0


def _run_stage(name: str, params: Path) -> None:
    start = time.monotonic()
    inputs = StageInputs(name, params, _CODE)
    values = read_params(params)
    inputs.refuse_changed_params()
    refuse_unsafe_paths(values)
    figures = run_stage(name, values)
    inputs.refuse_changed()
    listed = ", ".join(
        f"{key} {round(value, 4) if isinstance(value, float) else value}" for key, value in figures.items()
    )
    print_text(f"{name}: done in {time.monotonic() - start:.1f} s ({listed})")


if __name__ == "__main__":
    raise_at_ctrl_c()
    sys.exit(main())
