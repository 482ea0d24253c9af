"""What the commands of all studies have in common."""

import os
import sys
from collections.abc import Callable

from tasks.errors import PipelineError
from tasks.ground.process import die_with_parent, quiet


def status_of(name: str, work: Callable[[], object]) -> int:
    """Do the work, and end with DVC where that started it; 0 when it ended well, 1 when there is something to mend."""
    if "DVC_STAGE" in os.environ:
        die_with_parent()
    quiet()
    try:
        work()
    except PipelineError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0
