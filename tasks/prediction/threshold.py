"""From which score on detections are shown."""

from pathlib import Path

from tasks.model.thresholds import DEFAULT_SCORE, read_thresholds


def score_threshold(wanted: float | None, model: Path) -> float:
    """`wanted`, else the score that `model` was exported with, else 0.3; printed.

    Raises:
        FormatError: thresholds.json of the model is there and cannot be read.
    """
    if wanted is not None:
        return wanted
    file = model / "thresholds.json"
    if not file.exists():
        print(
            f"boxes from a score of {DEFAULT_SCORE} on are drawn: {file} is not there; --score-threshold says another"
        )
        return DEFAULT_SCORE
    chosen = read_thresholds(file).score
    print(f"boxes from a score of {chosen:.2f} on are drawn, as {file} says; --score-threshold says another")
    return chosen
