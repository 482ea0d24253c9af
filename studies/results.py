"""The files of a study's runs, each named for the run that it is of."""

from pathlib import Path
from typing import TypeVar

from tasks.artifacts.artifact import Artifact, read_artifact
from tasks.errors import FormatError


class NamedResult(Artifact):
    """The result of one run; its file is `key`.json."""

    @property
    def key(self) -> str:
        """The name of the run among results and stages."""
        raise TypeError(f"{type(self).__name__} names no run")


_R = TypeVar("_R", bound=NamedResult)


def read_named_results(folder: Path, kind: type[_R], stage: str) -> list[_R]:
    """Every result in `folder`, in the order of file names; `stage` is the one that makes them.

    Raises:
        FormatError: a file is not the result of a run, or not of the run that its name says.
    """
    return [_read(path, kind, stage) for path in sorted(folder.glob("*.json"))]


def _read(path: Path, kind: type[_R], stage: str) -> _R:
    result = read_artifact(path, kind, f"{stage}@{path.stem}")
    if result.key != path.stem:
        # Copied or renamed, it would count as one more run.
        raise FormatError(f"{path}: holds the result of {result.key}; remove it, or give it that name")
    return result
