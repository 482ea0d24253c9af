import os
import threading
from pathlib import Path

import pytest

from flows import child
from flows.child import Outcome, StageFailedError, StageInterruptedError, readable_lines, repro, stop_all
from tests.small_project import wait_until


def test_the_outcome_says_whether_a_stage_ran_was_up_to_date_or_came_from_the_cache(project: Path) -> None:
    lines: list[str] = []
    assert repro("other", project, lines.append) is Outcome.RAN
    assert "made" in lines
    assert repro("other", project, lines.append) is Outcome.CACHED
    (project / "other.txt").unlink()
    assert repro("other", project, lines.append) is Outcome.RESTORED
    (project / "source.txt").write_text("b")
    assert repro("other", project, lines.append) is Outcome.RAN
    (project / "source.txt").write_text("a")
    assert repro("other", project, lines.append) is Outcome.RESTORED
    assert repro("other", project, lines.append, force=True) is Outcome.RAN


def test_the_error_of_a_failed_stage_has_its_last_lines(project: Path) -> None:
    (project / "source.txt").write_text("bad")
    with pytest.raises(StageFailedError, match=r"(?s)other failed.*made.*exited with 1"):
        repro("other", project, lambda line: None)


def test_stop_all_kills_the_stages_of_other_threads(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "stopping", threading.Event())
    (project / "dvc.yaml").write_text("stages: {long: {cmd: 'touch started; exec sleep 300', outs: [long.txt]}}")
    failures: list[StageFailedError] = []

    def run() -> None:
        try:
            repro("long", project, lambda line: None)
        except StageFailedError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until((project / "started").exists, 60)
    stop_all()
    thread.join(timeout=30)
    assert len(failures) == 1
    with pytest.raises(StageFailedError, match="being stopped"):
        repro("long", project, lambda line: None)


def test_only_a_failure_that_may_pass_is_an_interruption(project: Path) -> None:
    with pytest.raises(StageInterruptedError):
        repro("remote", project, lambda line: None)
    (project / "source.txt").write_text("bad")
    with pytest.raises(StageFailedError) as caught:
        repro("other", project, lambda line: None)
    assert not isinstance(caught.value, StageInterruptedError)


def piped(content: bytes, seconds_between: float) -> list[str]:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        return list(readable_lines(stream, seconds_between=seconds_between))


def test_of_a_progress_bar_only_the_first_and_the_last_state_are_kept() -> None:
    assert piped(b"start\n10%\r20%\r30%\rend\r\nlast", 1000.0) == ["start", "10%", "30%", "end", "last"]


def test_without_a_wait_every_state_is_kept_but_no_empty_line() -> None:
    assert piped(b"\n 1%\r 2%\r\n\n\xff\n", 0.0) == [" 1%", " 2%", "\ufffd"]
