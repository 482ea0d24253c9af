"""One finished run of the whole pipeline, which several rooms' tests look at; and which worker gets which tests."""

import os
import signal
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from tasks.ground.od_api_imports import prepare_imports
from tests.small_project import Project, wait_until

# Tests may import TensorFlow before the room that would call for it; what it says of devices is no news.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
prepare_imports()

# No test asserts a time: hypothesis would, and fail on a busy machine, where reading the project's sources before its
# first example takes seconds.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# These look at the same finished run, so the worker that made it gets them all.
ON_FINISHED = ("tests/test_whole_pipeline.py", "tests/flows/test_two_clones.py")


class _Scheduling(LoadFileScheduling):
    """The tests of one file go to one worker, as do those of `ON_FINISHED`."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return ON_FINISHED[0] if file in ON_FINISHED else file


@pytest.hookimpl(optionalhook=True)  # there is no such hook where xdist is switched off
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return _Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, then those with many: the last ones keep no worker busy for long."""
    tests = Counter(item.path for item in items)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    # Not among themselves: which test of a file comes first may matter to the next.
    items.sort(key=lambda item: (item.path not in slow, -tests[item.path], str(item.path)))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project whose dvc was killed when training had saved its first state, then run again; and what that printed."""
    project = Project(tmp_path_factory.mktemp("project"))
    process = project.start("dvc", "repro")
    wait_until(lambda: bool(list(project.folder.glob("models/resume/*/current.json"))), 600)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return project, project.run("dvc", "repro")
