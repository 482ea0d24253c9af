"""base.json: what the weights in models/base are, as the checkpoint stage writes it."""

import json
from pathlib import Path
from typing import Any

from tasks.errors import CheckpointError


def read_base_description(base: Path) -> dict[str, Any]:
    """The content of base.json in the folder `base`; `kind` is there.

    Raises:
        CheckpointError: there is no such file, or it is something else.
    """
    path = base / "base.json"
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        description["kind"]
    except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: not what the checkpoint stage writes: {error!r}; run it again") from error
    return dict(description)
