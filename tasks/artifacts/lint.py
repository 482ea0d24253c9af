"""models/lint.json, which the configure stage writes: what its checks have found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tasks.artifacts.artifact import read_artifact, write_artifact

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Finding:
    """One thing that a reader should know before training starts.

    Attributes:
        level: `error`: training would be useless; `warning`: it may be; `info`: something is not what it seems.
        key: the params.yaml key, the split or the file that it is about.
        value: the value there; empty where there is nothing to quote.
        why: what is wrong with it.
        remedy: what to do; empty where nothing needs to be done.
    """

    level: Level
    key: str
    value: str
    why: str
    remedy: str = ""

    def __str__(self) -> str:
        subject = f"{self.key} {self.value}".strip()
        return f"{subject}: {self.why}{f'; {self.remedy}' if self.remedy else ''}"


def read_findings(path: Path) -> list[Finding]:
    """The findings in the file `path`, in its order.

    Raises:
        DataError: the file is missing.
        FormatError: it is not what the configure stage writes.
    """
    return read_artifact(path, list[Finding], "configure")


def write_findings(findings: Sequence[Finding], path: Path) -> None:
    """Write `findings`, in their order."""
    write_artifact(path, list(findings))
