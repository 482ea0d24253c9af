"""thresholds.json of an exported model: from which score on its detections are worth showing."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import FormatError
from tasks.ground.files import write_json

# Where no other is known.
DEFAULT_SCORE = 0.3
_MAX_BYTES = 1_000_000
_Score = Annotated[float, Field(ge=0.0, le=1.0)]


class Thresholds(BaseModel):
    """The score from which on detections are worth showing, and those at which F1 was highest on validation images.

    Attributes:
        score: of all classes together.
        chosen_by: `F1`, for that was highest there on the validation images; `params`, which set it; `default`, for
            nothing was found in validation images, or there were none.
        best_score: where F1 was highest on the validation images; None where nothing was found in them.
        per_class: the same of each class by itself.
        images: how many validation images there were.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: _Score
    chosen_by: Literal["F1", "params", "default"]
    best_score: _Score | None
    per_class: dict[str, _Score | None]
    images: Annotated[int, Field(ge=0)]

    @property
    def origin(self) -> str:
        """Words that go on after the score: where it comes from."""
        if self.chosen_by == "F1":
            return f"at which F1 was highest on the {self.images} validation images"
        best = "" if self.best_score is None else f"; F1 was highest at {self.best_score:.2f} on the validation images"
        if self.chosen_by == "params":
            return f"which export.score_threshold sets{best}"
        why = "nothing was found in the validation images" if self.images else "there are no validation images"
        return f"a common one, for {why} to choose it by; export.score_threshold sets another"


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
