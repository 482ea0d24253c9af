"""The lowest score of the detections that are shown."""

from pathlib import Path

from tasks.model.thresholds import DEFAULT_SCORE, read_thresholds


def score_threshold(wanted: float | None, model: Path) -> float:
    """`wanted`, else the score in thresholds.json of the folder `model`, else 0.3; a chosen one is printed.

    Raises:
        FormatError: thresholds.json exists and cannot be read.
    """
    if wanted is not None:
        return wanted
    file = model / "thresholds.json"
    if not file.exists():
        print(f"boxes from a score of {DEFAULT_SCORE} on are drawn: {file} is missing; --score-threshold sets another")
        return DEFAULT_SCORE
    score = read_thresholds(file).score
    print(f"boxes from a score of {score:.2f} on are drawn, as in {file}; --score-threshold sets another")
    return score
