"""The message for a model of strangers that was not loaded."""

from collections.abc import Iterable
from pathlib import Path

from tasks.errors import CheckpointError

_MAX_LISTED = 3


def refuse_operations(file: Path, unsafe: Iterable[str]) -> None:
    """Refuse the model in `file` if there is anything in `unsafe`: what may do more than compute, for messages.

    Raises:
        CheckpointError: there is.
    """
    named = list(dict.fromkeys(unsafe))
    if named:
        more = f" and {len(named) - _MAX_LISTED} more" if len(named) > _MAX_LISTED else ""
        raise CheckpointError(
            f"{file}: a model is a program, and this one may do more than compute: {', '.join(named[:_MAX_LISTED])}"
            f"{more}; it was not loaded. If you trust whoever made it, --trust loads it all the same"
        )
