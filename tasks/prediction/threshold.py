"""The lowest score of the detections that are shown."""

from pathlib import Path

from tasks.errors import PipelineError
from tasks.model.thresholds import DEFAULT_SCORE, read_thresholds


def refuse_bad_options(score_threshold: float | None, batch_size: int) -> None:
    """Check what the commands that detect have in common.

    Raises:
        PipelineError: one is out of range; the message names the option.
    """
    if score_threshold is not None and not 0.0 <= score_threshold <= 1.0:
        raise PipelineError(f"--score-threshold {score_threshold:g}: a score is a number from 0 to 1")
    if batch_size < 1:
        raise PipelineError(f"--batch-size {batch_size}: at least 1 image at a time")


def score_threshold(wanted: float | None, model: Path) -> tuple[float, str]:
    """`wanted`, else the score in thresholds.json of the folder `model`, else 0.3; and a line on one that was chosen.

    Raises:
        FormatError: thresholds.json exists and cannot be read.
    """
    if wanted is not None:
        return wanted, ""
    file = model / "thresholds.json"
    if not file.exists():
        why = f"{file} is missing; --score-threshold sets another"
        return DEFAULT_SCORE, f"boxes from a score of {DEFAULT_SCORE} on are kept: {why}"
    score = read_thresholds(file).score
    return score, f"boxes from a score of {score:.2f} on are kept, as in {file}; --score-threshold sets another"
