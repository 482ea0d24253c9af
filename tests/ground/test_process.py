"""What a process may use of its machine."""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

from tasks.ground.process import usable_cores


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process cannot be kept to some cores")
def test_usable_cores_are_those_of_the_job_not_of_the_machine() -> None:
    one_core = {min(os.sched_getaffinity(0))}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=os.sched_setaffinity, initargs=(0, one_core)) as job:
        assert job.submit(usable_cores).result() == 1
