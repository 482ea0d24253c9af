"""One finished run of the whole pipeline, which several rooms' tests look at."""

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.small_project import Project, wait_until

# No test asserts a time: hypothesis would, and fail on a busy machine, where reading the project's sources before its
# first example takes seconds.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project whose dvc was killed when training had saved its first state, then run again; and what that printed."""
    project = Project(tmp_path_factory.mktemp("project"))
    process = project.start("dvc", "repro")
    wait_until(lambda: bool(list(project.folder.glob("models/resume/*/current.json"))), 600)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return project, project.run("dvc", "repro")
