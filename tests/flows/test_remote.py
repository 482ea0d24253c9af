"""What two clones exchange, without Prefect."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from flows.child import Outcome, StageInterruptedError, repro, restore
from flows.remote import (
    RemoteError,
    Request,
    apply_request,
    differences,
    inputs_of,
    push_inputs,
    push_result,
    request_for,
)
from tests.flows.conftest import commit, run


def silent(line: str) -> None:
    """Ignore a line of the log."""


def sent_request(project: Path) -> Request:
    """A request as the other side gets it: through JSON."""
    repro("take", project, silent)
    request = request_for(project, "arm@4")
    push_inputs(project, request, silent)
    return Request(**json.loads(json.dumps(asdict(request))))


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.slow
def test_a_stage_runs_in_the_other_clone_only_and_its_result_comes_back(project: Path, agent: Path) -> None:
    request = sent_request(project)
    assert restore("arm@4", project, silent) is None
    apply_request(agent, request, silent)
    assert repro("arm@4", agent, silent, pull=True) is Outcome.RAN
    push_result(agent, request, silent)
    assert restore("arm@4", project, silent) is Outcome.RESTORED
    assert (project / "arm-4.txt").read_text() == "a"
    assert (lines(agent / "arms.log"), lines(project / "arms.log")) == (1, 0)
    assert "arm@4" not in run(project, "dvc", "status")
    assert restore("arm@4", project, silent) is Outcome.CACHED


def test_params_and_graph_need_not_be_committed(project: Path, agent: Path) -> None:
    (project / "params.yaml").write_text("take:\n  steps: 7\n")
    apply_request(agent, sent_request(project), silent)
    assert (agent / "params.yaml").read_text() == "take:\n  steps: 7\n"
    assert (agent / "dvc.lock").read_text() == (project / "dvc.lock").read_text()


@pytest.mark.slow
def test_an_agent_does_not_make_again_what_another_made(project: Path, agent: Path, tmp_path: Path) -> None:
    request = sent_request(project)
    apply_request(agent, request, silent)
    repro("arm@4", agent, silent, pull=True)
    push_result(agent, request, silent)
    second = tmp_path / "second"
    run(tmp_path, "git", "clone", "-q", str(project), str(second))
    apply_request(second, request, silent)
    assert repro("arm@4", second, silent, pull=True) is Outcome.RESTORED
    assert lines(second / "arms.log") == 0


def test_a_new_commit_is_fetched(project: Path, agent: Path) -> None:
    (project / "source.txt").write_text("b")
    commit(project)
    apply_request(agent, sent_request(project), silent)
    assert (agent / "source.txt").read_text() == "b"
    assert (agent / "taken.txt").read_text() == "b"


def test_a_stage_with_an_uncommitted_input_is_not_sent(project: Path) -> None:
    (project / "source.txt").write_text("changed")
    with pytest.raises(RemoteError, match=r"this is not: source\.txt"):
        request_for(project, "take")


def test_what_python_makes_of_sources_is_no_uncommitted_input(project: Path) -> None:
    """On most machines it lies beside them, and git ignores it, as it does what may well be an input."""
    (project / "code" / "__pycache__").mkdir(parents=True)
    (project / "code" / "step.py").write_text("")
    (project / "dvc.yaml").write_text((project / "dvc.yaml").read_text().replace("[source.txt]", "[source.txt, code]"))
    (project / ".gitignore").write_text((project / ".gitignore").read_text() + "__pycache__/\n*.secret\n")
    (project / ".dvcignore").write_text("__pycache__/\n")
    commit(project)
    (project / "code" / "__pycache__" / "step.cpython-313.pyc").write_text("")
    assert "code" in request_for(project, "take").inputs

    (project / "code" / "a.secret").write_text("")
    with pytest.raises(RemoteError, match=r"this is not: code/a\.secret\."):
        request_for(project, "take")


def test_a_commit_that_the_agent_cannot_fetch_is_named(project: Path, agent: Path) -> None:
    with pytest.raises(RemoteError, match="commit 0123456789ab is missing where this clone fetches from"):
        apply_request(
            agent, replace(request_for(project, "take"), revision="0123456789abcdef0123456789abcdef01234567"), silent
        )


def test_an_agents_clone_with_changes_of_its_own_is_left_unchanged(project: Path, agent: Path) -> None:
    (agent / "source.txt").write_text("mine")
    with pytest.raises(RemoteError, match=r"changes of its own.*source\.txt"):
        apply_request(agent, request_for(project, "take"), silent)
    assert (agent / "source.txt").read_text() == "mine"


def test_different_inputs_are_named_before_anything_runs(project: Path, agent: Path) -> None:
    request = request_for(project, "take")
    with pytest.raises(RemoteError, match=r"source\.txt was feedfeedfeed and is 0cc175b9c0f1"):
        apply_request(agent, replace(request, inputs={"source.txt": "feedfeedfeedfeed"}), silent)


@pytest.mark.parametrize("path", ["../params.yaml", "/etc/params.yaml", ".git/params.yaml", "a/../../params.yaml", ""])
def test_a_request_writes_nothing_outside_the_clone(path: str, project: Path, agent: Path) -> None:
    request = request_for(project, "take")
    with pytest.raises(RemoteError, match="not a path that a request may write"):
        apply_request(agent, replace(request, files={**request.files, path: "x"}), silent)


def test_an_unreachable_remote_is_an_interruption(project: Path) -> None:
    (project / ".dvc" / "config.local").write_text("['remote \"shared\"']\n  url = /dev/null/nowhere\n")
    with pytest.raises(StageInterruptedError, match="dvc push"):
        sent_request(project)


def test_without_a_remote_the_error_says_how_to_add_one(project: Path) -> None:
    (project / ".dvc" / "config").write_text("")
    with pytest.raises(RemoteError, match="dvc remote add"):
        push_inputs(project, request_for(project, "take"), silent)


def test_a_missing_input_has_a_hash_of_its_own(project: Path) -> None:
    assert inputs_of(project, "arm@0") == {"taken.txt": "missing"}


def test_differences_are_described_in_words() -> None:
    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == [
        "b was 2 and is 3",
        "c was no input and is 4",
    ]
