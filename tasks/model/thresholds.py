"""thresholds.json of an exported model: the score from which on its detections are worth showing."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import FormatError
from tasks.ground.files import write_json
from tasks.ground.stage_files import restored_by

# Without validation detections to choose a score by.
DEFAULT_SCORE = 0.3
_MAX_BYTES = 1_000_000
_Score = Annotated[float, Field(ge=0.0, le=1.0)]


class Thresholds(BaseModel):
    """The score from which on detections are worth showing, and the scores with the highest F1 on validation images.

    Attributes:
        score: of all classes together.
        chosen_by: `F1`: the score with the highest F1; `params`: set by export.score_threshold; `default`: there were
            no validation images, or no detections in them.
        best_score: the score with the highest F1 on the validation images; None without detections in them.
        per_class: the same for each class.
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
        """Where the score comes from, in words that continue a sentence after it."""
        if self.chosen_by == "F1":
            return f"at which F1 was highest on the {self.images} validation images"
        best = "" if self.best_score is None else f"; F1 was highest at {self.best_score:.2f} on the validation images"
        if self.chosen_by == "params":
            return f"which export.score_threshold sets{best}"
        why = "the validation images have no detections" if self.images else "there are no validation images"
        return f"the default, for {why} to choose it by; export.score_threshold sets another"


def write_thresholds(thresholds: Thresholds, path: Path) -> None:
    """Write them as JSON."""
    write_json(path, thresholds.model_dump())


def read_thresholds(path: Path) -> Thresholds:
    """The thresholds that `write_thresholds` wrote.

    Raises:
        FormatError: the file is missing, too large, no JSON, or holds something else.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FormatError(f"{path}: larger than {_MAX_BYTES // 1_000_000} MB, which no thresholds are")
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return Thresholds.model_validate(content)
    except FileNotFoundError as error:
        raise FormatError(f"{path}: no such file; {restored_by('export')}") from error
    except (ValueError, RecursionError, ValidationError) as error:
        raise FormatError(f"{path}: not what the export stage writes ({error}); {restored_by('export')}") from error
