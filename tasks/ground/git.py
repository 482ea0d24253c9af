"""git, run in a folder."""

import os
import subprocess
from pathlib import Path

from tasks.errors import PipelineError


def git(folder: Path, *arguments: str) -> str:
    """What `git ARGUMENTS` printed in `folder`.

    Raises:
        PipelineError: it failed; the message names folder and command, and what git printed.
    """
    environment = {**os.environ, "LC_ALL": "C"}  # its messages are read here
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip() or f"exit code {done.returncode}"
        if "not a git repository" in reason:
            raise PipelineError(
                f"{folder}: not a git repository, which this needs: git init && git add -A && git commit -m start"
            )
        raise PipelineError(f"{folder}: git {' '.join(arguments)} failed: {reason}")
    return done.stdout
