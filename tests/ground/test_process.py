"""What a process may use of its machine."""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

from tasks.ground.process import usable_cores


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process cannot be kept to some cores")
def test_the_cores_of_a_job_count_and_not_those_of_its_machine() -> None:
    one_core = {min(os.sched_getaffinity(0))}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=os.sched_setaffinity, initargs=(0, one_core)) as job:
        assert job.submit(usable_cores).result() == 1
