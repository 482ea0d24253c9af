"""Comparing the outcome of malformed inputs with the expected one."""

import json
from functools import cache
from pathlib import Path

from tests.malformed.confined import Confined
from tests.malformed.corpus import CORPUS
from tests.malformed.outcome import EXPECTED, outcome

_ANNOTATIONS = ("voc", "paths", "csv", "coco")
# Two test files, so that two workers have about as much to do.
IN_ANNOTATIONS = [name for name, case in CORPUS.items() if case.area in _ANNOTATIONS]
ELSEWHERE = [name for name, case in CORPUS.items() if case.area not in _ANNOTATIONS]


@cache
def expected() -> dict[str, list[str]]:
    """The expected messages of each case."""
    content: dict[str, list[str]] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return content


def check(name: str, folder: Path, confined: Confined) -> None:
    """Fail unless the case ends as it should, with the expected messages, and without a fault."""
    found = outcome(CORPUS[name], folder, confined)
    assert found.faults == []
    assert found.ends == CORPUS[name].ends
    assert found.messages == expected()[name]
