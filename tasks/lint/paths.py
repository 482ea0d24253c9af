"""What `paths:` in params.yaml may name. DVC removes what stands there before a stage writes, whoever made it."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tasks.errors import ParamsError, PipelineError
from tasks.ground.git import git
from tasks.ground.text import quoted

if TYPE_CHECKING:
    from tasks.params import Params

# The memory of the split is committed.
_COMMITTED = ("split_memory",)
# Of the project itself: an unpacked archive has no git to ask.
_OWN = frozenset({
    "bench", "configs", "docs", "flows", "presets", "scripts", "studies", "tasks", "tests", "weights",
    "Makefile", "README.md", "dvc.yaml", "dvc.lock", "params.yaml", "prefect.yaml", "pyproject.toml",
})  # fmt: skip
_HIDDEN = frozenset({".git", ".dvc", ".venv", ".ci"})


def refuse_unsafe_paths(params: "Params", root: Path = Path()) -> None:
    """Check that no stage would write over what is not its own.

    Args:
        params: the project's.
        root: the project's folder.

    Raises:
        ParamsError: a path lies outside the project, over files that git tracks or that belong to the project, over the
            annotations or images that are read, or over another path; the message names its key and the remedy.
    """
    paths = {key: PurePosixPath(os.path.normpath(value)) for key, value in params.paths}
    problems = [*_outside(paths), *_overlaps(paths), *_over_sources(paths, params, root)]
    # What lies outside cannot be asked of git.
    problems = problems or list(_over_tracked(paths, root))
    if problems:
        raise ParamsError(
            "params.yaml is not valid:\n"
            + "\n".join(f"  {problem}" for problem in problems)
            + "\n  DVC removes what stands at such a path before a stage writes there: name another, such as data/NAME"
        )


def refuse_unsafe_out(out: Path, params: "Params", root: Path = Path()) -> None:
    """Check that a command that writes into the folder `out` writes nothing where DVC removes, or the project lies.

    Outside the project every folder is allowed.

    Raises:
        ParamsError: `out` is, holds or lies in what a stage writes, or is of the project itself.
    """
    place, project = out.resolve(), root.resolve()
    for key, path in params.paths:
        its = (project / path).resolve()
        # Of the report's folder DVC keeps the page alone: what commands write lies beside it.
        if key == "report":
            its = its / "index.html"
            if not place.is_relative_to(its):
                continue
        if place.is_relative_to(its) or its.is_relative_to(place):
            raise ParamsError(
                f"--out {out}: DVC removes what stands at paths.{key}, {quoted(str(path))}, before a stage writes "
                "there: name a folder apart from it, such as predictions/NAME"
            )
    if place.is_relative_to(project) and place.relative_to(project).parts[0] in _OWN | _HIDDEN:
        raise ParamsError(f"--out {out}: is of the project itself, or lies among what is: name another folder")


def _outside(paths: dict[str, PurePosixPath]) -> Iterator[str]:
    for key, path in paths.items():
        if path.is_absolute() or path.parts[:1] in ((), ("..",)):
            yield f"paths.{key}: {quoted(str(path))} does not lie inside the project's folder"
        elif path.parts[0] in _OWN | _HIDDEN:
            yield f"paths.{key}: {quoted(str(path))} is of the project itself, or lies among what is"


def _overlaps(paths: dict[str, PurePosixPath]) -> Iterator[str]:
    for key, path in paths.items():
        for other, its in paths.items():
            if path.is_relative_to(its) and (key > other or path != its) and key != other:
                where = "is also" if path == its else "lies in"
                yield f"paths.{key}: {quoted(str(path))} {where} paths.{other}, {quoted(str(its))}"


def _over_sources(paths: dict[str, PurePosixPath], params: "Params", root: Path) -> Iterator[str]:
    """The sample is read where it is written; nothing else is. DVC refuses an out among a stage's inputs itself."""
    for name in ("source", "images"):
        its = _below(getattr(params.ingest, name), root)
        for key, path in paths.items():
            if key != "sample" and its is not None and its.is_relative_to(path):
                yield f"paths.{key}: {quoted(str(path))} holds ingest.{name}, {quoted(str(its))}"


def _below(path: Path, root: Path) -> PurePosixPath | None:
    """`path` relative to the project; None where it lies outside."""
    relative = PurePosixPath(os.path.relpath(root / path, root))
    return None if relative.parts[:1] == ("..",) else relative


def _over_tracked(paths: dict[str, PurePosixPath], root: Path) -> Iterator[str]:
    asked = {key: path for key, path in paths.items() if key not in _COMMITTED}
    try:
        tracked = git(root, "ls-files", "-z", "--", *(f":(literal){path}" for path in asked.values()))
    # Without git nothing is tracked.
    except (PipelineError, OSError):
        return
    for name in filter(None, tracked.split("\0")):
        for key, path in asked.items():
            if PurePosixPath(name).is_relative_to(path):
                yield f"paths.{key}: {quoted(str(path))} holds what git tracks, such as {quoted(name)}"
                return
