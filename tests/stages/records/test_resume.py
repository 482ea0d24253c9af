"""Stage records after an interrupted run: finished shards stay, others are written again."""

import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.errors import DataError, PipelineError
from tasks.ground.unfinished import unfinished_work
from tasks.tfrecords.shards import finished_shard
from tests.stages.records.small_splits import annotated, files_of, run, write_splits, written

ROOT = Path(__file__).parents[3]
CHILD = """
import sys
from pathlib import Path
from tasks.params import RecordsParams
from tasks.stages.records import records
folder = Path(sys.argv[1])
params = RecordsParams(images_per_shard=2, max_side_px=300, workers=2, scheduler=None)
print("begun", flush=True)
records(
    params, splits=folder / "splits", records=folder / "records", records_resume=folder / "records.partial"
)
"""


def interrupted_run(root):
    """The images of a run that ended at its third shard, and its finished shards: the first two, both of train."""
    images = [annotated(root, f"{i}.jpg") for i in range(5)]
    splits = {"train": images[:4], "val": images[4:]}
    (root / "4.jpg").rename(root / "away.jpg")
    with pytest.raises(DataError, match=r"4\.jpg: no such file"):
        run(root, workers=1, **splits)
    (root / "away.jpg").rename(root / "4.jpg")
    files = files_of(root.parent / "records.partial")
    return splits, {name: file for name, file in files.items() if name.startswith("train-")}


def test_finished_shards_are_not_written_again_and_the_resume_folder_ends_empty(root):
    splits, finished = interrupted_run(root)
    assert len(finished) == 2
    run(root, **splits)
    assert files_of(root.parent / "records").items() > finished.items()
    assert [path.name for path in (root.parent / "records.partial").iterdir()] == ["lock"]
    result = written(root)
    run(root, **splits)
    assert written(root) == result


@pytest.mark.parametrize("damage", ["a byte", "cut off", "no facts", "other facts"])
def test_a_damaged_shard_is_written_again(root, damage):
    splits, finished = interrupted_run(root)
    (shard,) = (root.parent / "records.partial").rglob("train-00001-of-00002.tfrecord")
    content = shard.read_bytes()
    if damage == "no facts":
        shard.with_suffix(".json").unlink()
    elif damage == "other facts":
        shard.with_suffix(".json").write_text('{"file": 1}')
    else:
        shard.write_bytes(content[:-1] + (b"" if damage == "cut off" else b"?"))
    run(root, **splits)
    assert written(root)[shard.name] == content
    unchanged = files_of(root.parent / "records").items() & finished.items()
    assert {name for name, _ in unchanged} == {"train-00000-of-00002.tfrecord"}


def test_shards_of_other_params_are_removed(root):
    splits, _ = interrupted_run(root)
    (root / "4.jpg").unlink()
    (old,) = [path for path in (root.parent / "records.partial").iterdir() if path.is_dir()]
    with pytest.raises(DataError, match=r"4\.jpg: no such file"):
        run(root, images_per_shard=3, **splits)
    assert not old.exists()


def test_a_second_process_in_the_resume_folder_is_refused(root):
    with (
        unfinished_work(root.parent / "records.partial", "another", PipelineError()),
        pytest.raises(DataError, match=r"records\.partial: another process is writing records"),
    ):
        run(root, train=[annotated(root, "0.jpg")])


def test_a_run_killed_at_any_moment_ends_with_the_same_bytes(root):
    images = [annotated(root, f"{i:02}.jpg", size=(1200, 900)) for i in range(24)]
    write_splits(root, {"train": images[:20], "test": images[20:]}, root.parent / "splits")
    status, duration = child(root, None)
    assert status == 0
    undisturbed = written(root)
    shutil.rmtree(root.parent / "records")
    moments = random.Random()  # noqa: S311 - no secret
    finished: dict[str, int] = {}
    for _ in range(5):
        assert child(root, moments.uniform(0, duration))[0] in (0, -signal.SIGKILL)
        shards = files_of(root.parent / "records.partial")
        assert all(shards[name] == file for name, file in finished.items() if name in shards)
        finished = {
            path.name: path.stat().st_ino
            for path in (root.parent / "records.partial").rglob("*.tfrecord")
            if finished_shard(path)
        }
    assert child(root, None)[0] == 0
    assert written(root) == undisturbed
    assert files_of(root.parent / "records").items() >= finished.items()
    assert [path.name for path in root.parent.iterdir() if path.name.endswith(".partial")] == ["records.partial"]


def child(root, seconds):
    """Exit status and seconds at work of a process that writes the records; killed after `seconds`, unless None."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(root.parent)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        start = time.monotonic()
        if seconds is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        process.wait()
    return process.returncode, time.monotonic() - start
