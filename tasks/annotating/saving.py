"""Saves while somebody draws."""

from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import httpx

from tasks.annotating.project import Project
from tasks.errors import PipelineError
from tasks.ground.text import print_text

_SAVE_EVERY_S = 3.0
# Half a minute: a server that is busy answers by then.
_MAX_FAILURES = 10


def save_until(end: "SimpleQueue[int]", project: Project, out: Path, server_folder: Path) -> int:
    """Save every few seconds until something is put into `end`, and then once more; how many images are drawn.

    Raises:
        PipelineError: ten saves one after another failed; a single one is tried again, for somebody is drawing. The
            message says that `server_folder` keeps what is not saved.
    """
    done, failures, is_last = 0, 0, False
    while True:
        try:
            done, failures = project.save(out), 0
            if is_last:
                return done
        except (PipelineError, httpx.HTTPError, OSError) as error:
            failures += 1
            if failures == _MAX_FAILURES:
                raise PipelineError(
                    f"{out}: could not be saved {failures} times ({error}) and has {done} images; what was drawn since "
                    f"is in {server_folder}, and is restored by the same command"
                ) from error
            print_text(f"{out}: could not be saved, and is tried again: {error}")
        with suppress(Empty):
            end.get(timeout=_SAVE_EVERY_S)
            is_last = True
