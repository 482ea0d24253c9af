"""DVC's remote and the Prefect server, as the diagnosis finds them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.diagnosis import services
from tasks.diagnosis.child import TrialError
from tasks.diagnosis.remote import _without_password
from tasks.diagnosis.services import remote_findings, server_findings
from tests.ports import free_ports
from tests.small_project import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    dvc("init", "-q", "--no-scm")
    return folder


def dvc(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments], check=True, capture_output=True)


def test_no_remote_is_a_note(project: Path) -> None:
    (finding,) = remote_findings()
    assert (finding.state, finding.remedy) == ("note", "dvc remote add -d NAME URL")


def test_a_remote_is_written_and_left_as_it_was(project: Path) -> None:
    remote = project.parent / "a remote"
    dvc("remote", "add", "-q", "-d", "mine", str(remote))
    for kept in ([], ["files/md5/ab/cdef"]):
        for name in kept:
            (remote / name).parent.mkdir(parents=True)
            (remote / name).write_text("a result")
        (finding,) = remote_findings()
        assert finding.state == "ok"
        assert f"remote mine ({remote}): written and read" in finding.text
        assert [path.relative_to(remote).as_posix() for path in remote.rglob("*") if path.is_file()] == kept
        assert remote.exists() == bool(kept)


def test_a_remote_that_cannot_be_written_fails(project: Path) -> None:
    file = project.parent / "a file"
    file.write_text("no folder")
    dvc("remote", "add", "-q", "-d", "mine", str(file))
    (finding,) = remote_findings()
    assert finding.state == "FAIL"
    assert "Not a directory" in finding.text
    assert file.read_text() == "no folder"


def test_a_remote_that_keeps_versions_is_not_tried(project: Path) -> None:
    dvc("remote", "add", "-q", "-d", "mine", "s3://bucket/folder")
    dvc("remote", "modify", "mine", "worktree", "true")
    assert [str(finding) for finding in remote_findings()] == [
        "  note  remote mine (s3://bucket/folder): a worktree remote, which was not tried: dvc push"
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@host/a", "https://...@host/a"),
        ("ssh://me@host:22/a", "ssh://...@host:22/a"),
        ("s3://bucket/a", "s3://bucket/a"),
        ("/folder/a@b", "/folder/a@b"),
    ],
)
def test_no_password_is_printed(url: str, shown: str) -> None:
    assert _without_password(url) == shown


def test_a_server_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{free_ports(1)[0]}/api"
    monkeypatch.setenv("PREFECT_API_URL", address)
    out = tmp_path / "out.json"
    # Prefect reads its settings when it is imported.
    subprocess.run([sys.executable, "-m", "flows.named_server", str(out)], cwd=ROOT, check=True)
    assert json.loads(out.read_text()) == {"api": address, "answers": False, "lets_in": False}


@pytest.mark.parametrize(
    ("answers", "lets_in", "said"),
    [
        (
            False,
            False,
            "note  no Prefect server answers at http://here/api: `make server` starts one; `dvc repro` needs none",
        ),
        (
            True,
            False,
            "FAIL  the Prefect server at http://here/api takes another password: export PREFECT_API_AUTH_STRING",
        ),
        (True, True, "ok    the Prefect server at http://here/api answers"),
    ],
)
def test_the_server_is_told(monkeypatch: pytest.MonkeyPatch, answers: bool, lets_in: bool, said: str) -> None:
    found = {"api": "http://here/api", "answers": answers, "lets_in": lets_in}
    monkeypatch.setattr(services, "try_in_child", lambda *arguments, **options: found)
    assert [str(finding).strip() for finding in server_findings()] == [said]


def test_what_cannot_be_asked_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*arguments: object, **options: object) -> None:
        raise TrialError("no end after 60 s")

    monkeypatch.setattr(services, "try_in_child", hangs)
    assert [finding.state for finding in (*server_findings(), *remote_findings())] == ["FAIL", "FAIL"]
