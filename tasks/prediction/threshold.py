"""From which score on detections are shown."""

from pathlib import Path

from tasks.formats.thresholds import read_thresholds

# For models whose export says none.
_SCORE_THRESHOLD = 0.3


def score_threshold(wanted: float | None, model: Path) -> float:
    """`wanted`, else the score that was chosen on validation images when `model` was exported, else 0.3; printed.

    Raises:
        FormatError: thresholds.json of the model is there and cannot be read.
    """
    if wanted is not None:
        return wanted
    file = model / "thresholds.json"
    chosen = read_thresholds(file).score if file.exists() else None
    if chosen is None:
        print(
            f"boxes from a score of {_SCORE_THRESHOLD} on are drawn: {file} says none; --score-threshold says another"
        )
        return _SCORE_THRESHOLD
    print(f"boxes from a score of {chosen:.2f} on are drawn, as {file} says; --score-threshold says another")
    return chosen
