"""Findings in order, and which of them stop the run."""

from collections.abc import Sequence

from tasks.artifacts.lint import LEVELS, Finding
from tasks.errors import ConfigError


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The findings sorted by level, errors first; those of one level keep their order."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def refuse_errors(findings: Sequence[Finding]) -> None:
    """Stop the run where there are errors.

    Raises:
        ConfigError: there are; the message lists all of them.
    """
    errors = [str(finding) for finding in findings if finding.level == "error"]
    if errors:
        raise ConfigError("\n  ".join(["these settings stop the run:", *errors]))


def percent(share: float) -> str:
    """A share in 0..1 as people write it; `0 %` means exactly none, `100 %` exactly all."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{min(round(100 * share), 99 if share < 1 else 100)} %"
