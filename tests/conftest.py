"""One finished run of the whole pipeline, which several rooms' tests look at."""

import signal

import pytest

from tests.small_project import Project, wait_until


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where files run side by side: a file's tests stay together, and so do all that look at the finished run."""
    for item in items:
        needs_it = "finished" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("finished" if needs_it else str(item.path)))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project whose dvc was killed when training had saved its first state, then run again; and what that printed."""
    project = Project(tmp_path_factory.mktemp("project"))
    process = project.start("dvc", "repro")
    wait_until(lambda: bool(list(project.folder.glob("models/resume/*/current.json"))), 600)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return project, project.run("dvc", "repro")
