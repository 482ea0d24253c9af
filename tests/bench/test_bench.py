import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.generated import generate
from bench.processes import Cost, cost_of, in_turns, ratio, spread
from tasks.formats.pascal_voc import read_voc_folder

ROOT = Path(__file__).resolve().parents[2]


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.*")
    }


def test_an_image_is_the_same_in_a_small_set_and_in_a_large_one(tmp_path):
    generate(tmp_path / "small", 3)
    generate(tmp_path / "large", 7)
    small, large = digests(tmp_path / "small"), digests(tmp_path / "large")
    assert len(large) == 14
    assert small.items() <= large.items()
    images, problems = read_voc_folder(tmp_path / "large")
    assert len(images) == 7
    assert all(1 <= len(image.classes) <= 5 for image in images)
    assert not problems


def test_the_memory_of_a_process_is_measured_and_not_that_of_the_one_which_starts_it(tmp_path):
    small = cost_of(["-c", "pass"], tmp_path)
    large = cost_of(["-c", "held = b'x' * 200_000_000"], tmp_path)
    assert 190 < large.peak_mb - small.peak_mb < 230
    assert small.peak_mb < 40


def test_a_process_that_fails_is_no_measurement(tmp_path):
    with pytest.raises(RuntimeError, match=r"ended with 3:\nworse"):
        cost_of(["-c", "print('worse'); raise SystemExit(3)"], tmp_path)


def test_the_sides_take_turns_and_the_first_turn_does_not_count():
    ran = []

    def side(name, seconds):
        def run():
            ran.append(name)
            return Cost(seconds, 1.0, 1.0)

        return run

    costs = in_turns({"a": side("a", 4.0), "b": side("b", 2.0)}, 2, "turns")
    assert ran == ["a", "b"] * 3
    assert [len(found) for found in costs.values()] == [2, 2]
    assert ratio(costs["a"], costs["b"]).startswith("2.00 (2.00 to 2.00) times as fast")


def test_a_spread_is_the_median_with_its_range():
    assert spread([3.0, 1.0, 10.0]) == "3.00 (1.00 to 10.00)"


@pytest.mark.slow
def test_every_part_runs_and_tells_what_it_measured():
    arguments = ["-m", "bench", "conversion", "validation", "scale", "--generated", "12", "--repeats", "1"]
    done = subprocess.run(
        [sys.executable, *arguments, "--images", "10", "20"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "conversion: 12 images of generated that the stock tool accepts (0 it does not)" in done.stdout
    assert "validation: 12 annotated images of generated" in done.stdout
    assert len(re.findall(r"times as fast", done.stdout)) == 5
    assert re.search(r"10 to 20, 2 times as many: \d+\.\d times the time", done.stdout)
