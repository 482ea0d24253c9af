"""Shards written by threads and by a real Dask cluster: processes on loopback, some of them killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.errors import DataError, UnreachableError
from tasks.ground.files import sha256_of
from tasks.tfrecords import shard_pool
from tasks.tfrecords.shard_pool import write_on_cluster, write_on_threads
from tasks.tfrecords.shards import ShardJob, code_key

ROOT = Path(__file__).parents[2]


def jobs_in(folder: Path, root: Path, count: int) -> list[ShardJob]:
    """`count` shards of two large images each, to be written in `folder`."""
    folder.mkdir()
    path = root / "0.jpg"
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((1200, 900)).save(path)
    image = AnnotatedImage(
        path.name, 1200, 900, as_boxes([(1, 2, 30, 40)]), ("mug",), flags(1), flags(1), "a.xml", sha256_of(path)
    )
    return [
        ShardJob(folder / f"{number:02}.tfrecord", root, (image, image), 2 * number + 1, {"mug": 1}, 600, code_key())
        for number in range(count)
    ]


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Cluster:
    """A scheduler on a free port of loopback, and workers that import the code from this folder."""

    def __init__(self, folder: Path, processes: ExitStack) -> None:
        self._folder, self._processes = folder, processes
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", "s.json")
        self.address = json.loads(self._wait_for_text(folder / "s.json"))["address"]

    def worker(self) -> "subprocess.Popen[bytes]":
        options = ["--nthreads", "1", "--no-nanny", "--worker-port", "0", "--local-directory", str(self._folder)]
        return self._start("worker", self.address, *options)

    def _start(self, kind: str, *options: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "dask", kind, "--no-dashboard", *options]
        with (self._folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self._folder, env=environment, stdout=log, stderr=log)
        self._processes.enter_context(process)
        self._processes.callback(process.kill)
        return process

    @staticmethod
    def _wait_for_text(path: Path) -> str:
        for _ in range(600):
            if path.exists() and (text := path.read_text()):
                return text
            time.sleep(0.1)
        raise TimeoutError(path)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    folder.mkdir()
    with ExitStack() as processes:
        yield Cluster(folder, processes)


@pytest.mark.parametrize("workers", [1, 3, None])
def test_facts_come_in_the_order_of_the_jobs(tmp_path: Path, workers: int | None) -> None:
    jobs = jobs_in(tmp_path / "shards", tmp_path, 6)
    assert [facts.file for facts in write_on_threads(jobs, workers)] == [job.path.name for job in jobs]


def test_only_a_few_jobs_are_submitted_ahead(tmp_path: Path) -> None:
    submitted: list[ShardJob] = []

    def jobs() -> Iterator[ShardJob]:
        for job in jobs_in(tmp_path / "shards", tmp_path, 20):
            submitted.append(job)
            yield job

    with closing(write_on_threads(jobs(), 2)) as written:  # type: ignore[type-var] # a generator, though it is promised less
        next(written)
        assert len(submitted) == 3


def test_after_an_error_no_further_shard_is_begun(tmp_path: Path) -> None:
    jobs = jobs_in(tmp_path / "shards", tmp_path, 20)
    jobs[0] = replace(jobs[0], images=(replace(jobs[0].images[0], file_name="gone.jpg"),))
    with pytest.raises(DataError, match=r"gone\.jpg: no such file"):
        list(write_on_threads(jobs, 1))
    assert len(list((tmp_path / "shards").glob("*.json"))) <= 1


@pytest.mark.slow
def test_a_cluster_writes_the_same_bytes_when_a_worker_is_killed(tmp_path: Path) -> None:
    local, remote = (jobs_in(tmp_path / name, tmp_path, 12) for name in ("local", "remote"))
    expected = list(write_on_threads(local, 2))
    with cluster_in(tmp_path / "cluster") as cluster:
        first, _ = cluster.worker(), cluster.worker()
        written = write_on_cluster(remote, cluster.address)
        facts = [next(written)]
        first.kill()
        facts += written
    assert facts == expected
    assert bytes_in(tmp_path / "remote") == bytes_in(tmp_path / "local")


@pytest.mark.slow
def test_an_error_in_the_data_is_raised_from_a_worker_too(tmp_path: Path) -> None:
    (job,) = jobs_in(tmp_path / "shards", tmp_path, 1)
    (tmp_path / "0.jpg").unlink()
    with cluster_in(tmp_path / "cluster") as cluster:
        cluster.worker()
        with pytest.raises(DataError, match=r"0\.jpg: no such file"):
            list(write_on_cluster([job], cluster.address))


@pytest.mark.slow
def test_a_lost_scheduler_is_an_error(tmp_path: Path) -> None:
    jobs = jobs_in(tmp_path / "shards", tmp_path, 40)
    with cluster_in(tmp_path / "cluster") as cluster:
        cluster.worker()
        written = write_on_cluster(jobs, cluster.address)
        next(written)
        cluster.scheduler.send_signal(signal.SIGKILL)
        with pytest.raises(UnreachableError, match="was lost; run the stage again"):
            list(written)


@pytest.mark.slow
def test_a_scheduler_without_workers_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_pool, "_FIRST_WORKER_S", 1)
    jobs = jobs_in(tmp_path / "shards", tmp_path, 1)
    with (
        cluster_in(tmp_path / "cluster") as cluster,
        pytest.raises(UnreachableError, match=f"{cluster.address}: the Dask scheduler has no workers"),
    ):
        list(write_on_cluster(jobs, cluster.address))


def test_a_scheduler_that_cannot_be_reached_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_pool, "_CONNECT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}: no Dask scheduler answers there"):
        list(write_on_cluster([], f"tcp://127.0.0.1:{port}"))
