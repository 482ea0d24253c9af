"""git, run in a folder."""

import subprocess
from pathlib import Path

from tasks.errors import PipelineError


def git(folder: Path, *arguments: str) -> str:
    """What `git ARGUMENTS` printed in `folder`.

    Raises:
        PipelineError: it failed; the message names folder and command, and what git printed.
    """
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip() or f"exit code {done.returncode}"
        raise PipelineError(f"{folder}: git {' '.join(arguments)} failed: {reason}")
    return done.stdout
