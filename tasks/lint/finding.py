"""What a check has found, how it is told, and when it stops the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tasks.errors import ConfigError

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Finding:
    """One thing worth a reader's time.

    Attributes:
        level: `error`: training would be for nothing; `warning`: it may be; `info`: it is not what it seems.
        key: the params.yaml key, the part of the data or the file that it is about.
        value: what stands there; empty where there is nothing to quote.
        why: what is wrong with it.
        remedy: what to do; empty where nothing needs to be done.
    """

    level: Level
    key: str
    value: str
    why: str
    remedy: str = ""

    def __str__(self) -> str:
        named = f"{self.key} {self.value}".strip()
        return f"{named}: {self.why}{f'; {self.remedy}' if self.remedy else ''}"


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The same, the gravest first; equally grave ones keep their order."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def refuse_errors(findings: Sequence[Finding]) -> None:
    """Let pass what holds no error.

    Raises:
        ConfigError: it does; the message lists every error.
    """
    errors = [str(finding) for finding in findings if finding.level == "error"]
    if errors:
        raise ConfigError("\n  ".join(["this would train for nothing:", *errors]))


def percent(share: float) -> str:
    """A share in 0..1 as people write it; only nothing is `0 %`, and only all is `100 %`."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{min(round(100 * share), 99 if share < 1 else 100)} %"
