"""Shards written in parallel: by threads of this process, or by the worker processes of a Dask cluster.

Only as many jobs are submitted ahead as keep every worker busy. Facts come back in the order of the jobs.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from tasks.artifacts.records import ShardFacts
from tasks.errors import PipelineError, UnreachableError
from tasks.ground.process import usable_cores
from tasks.tfrecords.shards import ShardJob, write_shard

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_S = 10
_FIRST_WORKER_S = 30
_CHECK_WORKERS_AFTER_S = 10


class _Result(Protocol):
    def result(self) -> ShardFacts: ...


def write_on_threads(jobs: Iterable[ShardJob], workers: int | None) -> Iterator[ShardFacts]:
    """The facts of every job, written by `workers` threads of this process; None means one for each usable core.

    Raises:
        PipelineError: what `write_shard` raises; no further shard is begun then.
    """
    # Threads, not processes: reading, hashing, decoding, scaling and encoding release Python's lock; a thread starts at
    # once, while a process imports for a second; and no thread outlives this process. Figures: ADR 5.
    count = workers or usable_cores()
    pool = ThreadPoolExecutor(count)
    try:
        yield from _in_order(lambda job: pool.submit(write_shard, job), jobs, ahead=lambda: count)
    finally:
        pool.shutdown(cancel_futures=True)


def write_on_cluster(jobs: Iterable[ShardJob], scheduler: str) -> Iterator[ShardFacts]:
    """The facts of every job, written by the workers of the Dask scheduler at `tcp://host:port`.

    Raises:
        UnreachableError: no scheduler answers, the connection to it is lost, or it has no workers.
        PipelineError: what `write_shard` raises, or every worker that wrote a shard died.
    """
    with _connect(scheduler) as client:
        # Counted again for each job: workers come and go.
        yield from _in_order(
            lambda job: _Remote(client, scheduler, job), jobs, ahead=lambda: 2 * _count_threads(client, scheduler)
        )


def _in_order(
    submit: Callable[[ShardJob], _Result], jobs: Iterable[ShardJob], *, ahead: Callable[[], int]
) -> Iterator[ShardFacts]:
    waiting: deque[_Result] = deque()
    for job in jobs:
        waiting.append(submit(job))
        if len(waiting) > ahead():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _connect(scheduler: str) -> "Client":
    from distributed import Client  # noqa: PLC0415 - takes a second, and only clusters need it

    # It would log a traceback of its own for each lost connection, which is an error here.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"{scheduler}: no Dask scheduler answers there ({error}); start it, or set records.scheduler to null"
        ) from error
    try:
        client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
    except TimeoutError as error:
        client.close()
        raise _no_workers_error(scheduler) from error
    return client


class _Remote:
    """A job that was sent to the cluster."""

    def __init__(self, client: "Client", scheduler: str, job: ShardJob) -> None:
        self._client, self._scheduler, self._shard = client, scheduler, job.path.name
        self._future: Future = client.submit(write_shard, job, pure=False)

    def result(self) -> ShardFacts:
        """The facts; waits as long as the cluster has workers."""
        from distributed import CancelledError, KilledWorker  # noqa: PLC0415 - as in `_connect`
        from distributed.comm import CommClosedError  # noqa: PLC0415

        try:
            while not self._future.done():
                self._wait()
            facts: ShardFacts = self._future.result()
        except (CancelledError, CommClosedError) as error:
            raise _lost_scheduler_error(self._scheduler) from error
        except KilledWorker as error:
            raise PipelineError(f"{self._shard}: every worker that wrote it died ({error}); see their logs") from error
        return facts

    def _wait(self) -> None:
        """Wait a while for the job to end, then check that the cluster has workers."""
        try:
            self._future.exception(timeout=_CHECK_WORKERS_AFTER_S)
        except TimeoutError:
            if not _count_threads(self._client, self._scheduler):
                raise _no_workers_error(self._scheduler) from None


def _count_threads(client: "Client", scheduler: str) -> int:
    """The number of threads of the cluster's workers."""
    try:
        return sum(client.nthreads().values())
    except OSError as error:
        raise _lost_scheduler_error(scheduler) from error


def _lost_scheduler_error(scheduler: str) -> UnreachableError:
    return UnreachableError(
        f"{scheduler}: the connection to the Dask scheduler was lost; run the stage again: finished shards are kept"
    )


def _no_workers_error(scheduler: str) -> UnreachableError:
    return UnreachableError(
        f"{scheduler}: the Dask scheduler has no workers; start some (docs/operations.md), or set "
        "records.scheduler to null"
    )
