"""A run of predict-folder that is killed before any of its file operations, and what the next one makes of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RESULTS = ["a.png.json", "c.png.json", "copy.png.json", "gate/b.png.json"]
# By what tells the contents apart: a.png and its copy are one.
WIDTHS = {"a.png.json": "60", "copy.png.json": "60", "gate/b.png.json": "61", "c.png.json": "62"}


def test_after_a_kill_at_any_moment_each_photo_has_one_whole_result_and_none_is_detected_in_twice(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.prediction.kill_everywhere", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    moments = json.loads(done.stdout)
    *killed, last = moments
    # Opening, writing beside, renaming and fsync of each result and drawing, and the ledger's lines.
    assert len(killed) > 30
    assert all(moment["killed"] for moment in killed)
    assert last["first ended well"]
    assert {len(moment["finished"]) for moment in moments} == {0, 1, 2, 3, 4}
    for moment in moments:
        assert moment["broken"] == []
        assert moment["second ended well"]
        assert (moment["results"], moment["leftovers"]) == (RESULTS, [])
        assert moment["drawn"] == [name.replace(".json", ".jpg") for name in RESULTS]
        finished = {WIDTHS[name] for name in moment["finished"]}
        assert moment["second detected"] == sorted({*WIDTHS.values()} - finished)
        assert moment["third is idle"]
