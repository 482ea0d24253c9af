"""What lies outside of this clone: DVC's remote and the Prefect server."""

from tasks.diagnosis.child import TrialError, try_in_child
from tasks.diagnosis.finding import Finding

_REMOTE_SECONDS, _SERVER_SECONDS = 90.0, 60.0


def remote_findings() -> list[Finding]:
    """Whether results can be stored where DVC's default remote is."""
    try:
        found = try_in_child("tasks.diagnosis.remote", [], seconds=_REMOTE_SECONDS)
    except TrialError as error:
        return [Finding("FAIL", f"DVC's remote cannot be written ({error})", "see docs/operations.md, Remotes")]
    if not found["remote"]:
        return [Finding("note", "no DVC remote: results stay on this machine", "dvc remote add -d NAME URL")]
    name = f"remote {found['remote']} ({found['url']})"
    if found["seconds"] is None:
        return [Finding("note", f"{name}: a worktree remote, which was not tried", "dvc push")]
    return [Finding("ok", f"{name}: written and read in {found['seconds']:.1f} s")]


def server_findings() -> list[Finding]:
    """Whether the Prefect server that flows and agents would ask answers, and takes the password that they have."""
    try:
        found = try_in_child("flows.named_server", [], seconds=_SERVER_SECONDS)
    except TrialError as error:
        return [Finding("FAIL", f"the Prefect server could not be asked ({error})", "see docs/operations.md")]
    address = found["api"]
    if not found["answers"]:
        return [
            Finding(
                "note", f"no Prefect server answers at {address}", "`make server` starts one; `dvc repro` needs none"
            )
        ]
    if not found["lets_in"]:
        return [
            Finding("FAIL", f"the Prefect server at {address} takes another password", "export PREFECT_API_AUTH_STRING")
        ]
    return [Finding("ok", f"the Prefect server at {address} answers")]
