"""Where the stages of the study write, seen from its folder."""

from pathlib import Path

PHOTOS = "photos"
DATA, STARTS, RESULTS, TIMING = Path("data") / PHOTOS, Path("data/start"), Path("results"), Path("timing")
PAGE = Path("reports/freeze.html")
RUN, DETECTIONS = "run.json", "detections.json"
