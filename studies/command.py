"""How every study's command starts and ends."""

import os
import sys
from collections.abc import Callable

from tasks.errors import PipelineError, UnreachableError
from tasks.ground.process import die_with_dvc, silence_libraries


def status_of(name: str, work: Callable[[], object]) -> int:
    """Do `work`, and end with DVC where DVC started this process; the exit status.

    Returns:
        0 when it ended well, 1 when there is something to mend, 75 when trying again may help.
    """
    die_with_dvc()
    silence_libraries()
    try:
        work()
    except PipelineError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL if isinstance(error, UnreachableError) else 1
    return 0
