"""What two clones of the project exchange: a request, its inputs and its result; the last two through DVC's remote.

Only this module and graph.py use DVC's internals (DVC is pinned).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException
from dvc.repo import Repo

from flows.child import Log, transfer
from flows.graph import GraphError, find_stage, open_repo
from tasks.errors import PipelineError
from tasks.ground.git import git

# Prints a line for each tracked file that was changed.
CHANGES = ("status", "--porcelain", "--untracked-files=no")


class RemoteError(Exception):
    """A stage cannot run in another clone now; the message says what to do."""


@dataclass(frozen=True)
class Request:
    """One stage that another clone shall bring up to date.

    Attributes:
        stage: its name, as `dvc repro` takes it.
        revision: the commit whose code it runs.
        files: texts of dvc.yaml, dvc.lock and params.yaml by path below the clone; they need not be committed.
        inputs: the hash of each input of the stage, by path below the clone.
    """

    stage: str
    revision: str
    files: dict[str, str]
    inputs: dict[str, str]


def request_for(root: Path, name: str) -> Request:
    """What another clone needs to run the stage `name` as it is in `root`.

    Raises:
        RemoteError: an input is neither another stage's output nor committed.
        GraphError: there is no such stage.
        PipelineError: git failed.
    """
    with open_repo(root) as repo:
        stage = find_stage(repo, root, name)
        inputs = _inputs(stage, root)
        _, others = _by_origin(repo, root, inputs)
        files = _pipeline_files(repo, root)
    _must_be_committed(root, others)
    return Request(name, git(root, "rev-parse", "HEAD").strip(), files, inputs)


def push_inputs(root: Path, request: Request, log: Log) -> None:
    """Push the inputs that are other stages' outputs to DVC's remote.

    Raises:
        RemoteError: no remote is configured.
        StageFailedError: the push failed; a `StageInterruptedError` where trying again may help.
    """
    with open_repo(root) as repo:
        address = _remote_url(repo)
        made, _ = _by_origin(repo, root, request.inputs)
    log(f"pushing {', '.join(made) or 'nothing'} to {address}")
    if made:
        transfer(["push", *made], root, log)


def apply_request(root: Path, request: Request, log: Log) -> None:
    """Make the clone at `root` equal to the one that sent the request, in everything that the stage reads.

    Raises:
        RemoteError: the commit cannot be fetched, the clone has changes of its own, or an input differs.
        PipelineError: git failed.
        StageFailedError: the inputs could not be pulled; a `StageInterruptedError` where trying again may help.
    """
    _check_out(root, request.revision, request.files, log)
    for path, text in request.files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    with open_repo(root) as repo:
        find_stage(repo, root, request.stage)
        made, _ = _by_origin(repo, root, request.inputs)
    if made:
        log(f"pulling {', '.join(made)}")
        transfer(["pull", "--force", *made], root, log)
    different = differences(request.inputs, inputs_of(root, request.stage))
    if different:
        raise RemoteError(f"{request.stage} would not be the same here: {'; '.join(different)}")


def push_result(root: Path, request: Request, log: Log) -> None:
    """Push the stage's outputs, with the inputs that they belong to, to DVC's remote.

    Raises:
        StageFailedError: the push failed; a `StageInterruptedError` where trying again may help.
    """
    log("pushing the result")
    transfer(["push", "--run-cache", request.stage], root, log)


def own_changes(status: str, sent: Collection[str] = ()) -> list[str]:
    """The tracked files that somebody edited in an agent's clone, from what git prints for CHANGES.

    Files that this request sends, or that an earlier one may have sent, are left out.
    """
    changed = [PurePosixPath(line[3:]) for line in status.splitlines()]
    may_be_sent = ("dvc.yaml", "dvc.lock", "params.yaml")
    return [
        str(path)
        for path in changed
        if str(path) not in sent and path.name not in may_be_sent and path.suffix != ".dvc"
    ]


def inputs_of(root: Path, name: str) -> dict[str, str]:
    """The current hash of each input of a stage, by path below `root`; "missing" for an input that does not exist.

    Raises:
        GraphError: there is no such stage.
    """
    with open_repo(root) as repo:
        return _inputs(find_stage(repo, root, name), root)


def differences(sent: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """The differences between two sets of inputs, in words."""
    found = []
    for path in sorted({*sent, *here}):
        first, second = sent.get(path, "no input"), here.get(path, "no input")
        if first != second:
            found.append(f"{path} was {first[:12]} and is {second[:12]}")
    return found


def _inputs(stage: Any, root: Path) -> dict[str, str]:
    try:
        return {
            _path_in_clone(root, dep.fs_path): str(dep.get_hash().value) if dep.exists else "missing"
            for dep in stage.deps
            if not isinstance(dep, ParamsDependency)  # their text is sent as it is
        }
    except DvcException as error:
        raise GraphError(f"{stage.addressing}: {error}") from error


def _by_origin(repo: Any, root: Path, inputs: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The inputs that are outputs of stages (or lie in one), and the others."""
    outs = [PurePosixPath(_path_in_clone(root, out.fs_path)) for out in repo.index.outs]
    made = [path for path in inputs if any(PurePosixPath(path).is_relative_to(out) for out in outs)]
    return made, [path for path in inputs if path not in made]


def _pipeline_files(repo: Any, root: Path) -> dict[str, str]:
    """The texts of dvc.yaml, dvc.lock and params of all stages, by path; an agent's DVC reads them all."""
    places: set[Path] = set()
    for stage in repo.index.stages:
        folder = Path(stage.path).parent
        places |= {Path(stage.path), folder / "dvc.lock", folder / "params.yaml"}
        places |= {Path(dep.fs_path) for dep in stage.deps if isinstance(dep, ParamsDependency)}
    files = [place for place in sorted(places) if place.is_file()]
    return {_path_in_clone(root, file): file.read_text(encoding="utf-8") for file in files}


def _path_in_clone(root: Path, path: str | Path) -> str:
    try:
        return Path(path).resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise RemoteError(
            f"{path} lies outside {root}, so another clone does not have it; move it into the project"
        ) from None


def _must_be_committed(root: Path, paths: list[str]) -> None:
    if not paths:
        return
    # What Python makes of the sources is no input: .dvcignore leaves it out, too.
    compiled = ":(exclude,glob)**/__pycache__/**"
    changed = git(
        root, "status", "--porcelain", "--ignored", "--untracked-files=all", "--", *paths, compiled
    ).splitlines()
    if changed:
        raise RemoteError(
            "another clone runs what is committed, and this is not: "
            f"{', '.join(line[3:] for line in changed[:5])}{' and more' if len(changed) > 5 else ''}. "  # noqa: PLR2004
            "Commit it (and push it to where the agent's clone fetches from), or run the stage here, without an agent"
        )


def _check_out(root: Path, revision: str, files: Mapping[str, str], log: Log) -> None:
    for path in files:
        parts = PurePosixPath(path).parts
        if PurePosixPath(path).is_absolute() or not parts or ".." in parts or parts[0].startswith("."):
            raise RemoteError(f"{path}: not a path that a request may write")
    own = own_changes(git(root, *CHANGES), files)
    if own:
        raise RemoteError(
            f"the agent's clone {root} has changes of its own, which a check-out would lose: {', '.join(own[:5])}. "
            "Commit them or undo them; better give the agent a clone that nobody works in"
        )
    if not _has_commit(root, revision):
        log(f"fetching {revision[:12]}")
        git(root, "fetch", "--quiet", "--all")
    if not _has_commit(root, revision):
        raise RemoteError(
            f"{root}: commit {revision[:12]} is missing where this clone fetches from; push it there first"
        )
    git(root, "checkout", "--quiet", "--force", "--detach", revision)


def _has_commit(root: Path, revision: str) -> bool:
    try:
        git(root, "cat-file", "-e", f"{revision}^{{commit}}")
    except PipelineError:
        return False
    return True


def _remote_url(repo: Repo) -> str:
    name = repo.config["core"].get("remote")
    if not name:
        raise RemoteError("no DVC remote is configured: dvc remote add --default shared FOLDER_OR_URL")
    return str(repo.config["remote"][name]["url"])
