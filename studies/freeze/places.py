"""Where the stages of the study write, relative to its folder."""

from pathlib import Path

PHOTOS = "photos"
DATA, STARTS, RESULTS, TIMING = Path("data") / PHOTOS, Path("data/start"), Path("results"), Path("timing")
# Where a run works until it has a result.
RUNS = Path("runs")
PAGE = Path("reports/freeze.html")
RUN, DETECTIONS, START = "run.json", "detections.json", "start.json"


def run_name(model: str, arm: str, seed: int) -> str:
    """The name of a run's folder in RESULTS, and of its stage behind `train@`."""
    return f"{model}-{arm}-{seed}"


def timing_name(model: str, arm: str) -> str:
    """The name of a timing's file in TIMING, without `.json`, and of its stage behind `timing@`."""
    return f"{model}-{arm}"
