"""thresholds.json of an exported model: from which score on its detections are worth showing."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import FormatError
from tasks.files import write_json

_MAX_BYTES = 1_000_000
_Score = Annotated[float, Field(ge=0.0, le=1.0)]


class Thresholds(BaseModel):
    """Scores at which F1 was highest on validation images.

    Attributes:
        score: of all classes together; None where nothing was found, or there were no validation images.
        per_class: of each class by itself.
        images: how many validation images they were chosen on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: _Score | None
    per_class: dict[str, _Score | None]
    images: Annotated[int, Field(ge=0)]


def write_thresholds(thresholds: Thresholds, path: Path) -> None:
    """Write them as JSON."""
    write_json(path, thresholds.model_dump())


def read_thresholds(path: Path) -> Thresholds:
    """What `write_thresholds` wrote.

    Raises:
        FormatError: the file is not there, too large, no JSON, or says something else.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FormatError(f"{path}: larger than {_MAX_BYTES // 1_000_000} MB, which no thresholds are")
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return Thresholds.model_validate(content)
    except FileNotFoundError as error:
        raise FormatError(f"{path}: no such file; run `dvc repro -f export`") from error
    except (ValueError, RecursionError, ValidationError) as error:
        raise FormatError(f"{path}: not what the export stage writes ({error}); run `dvc repro -f export`") from error
