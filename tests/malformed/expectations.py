"""Comparing the outcome of malformed inputs with the expected one."""

import json
from functools import cache

from tests.malformed.corpus import CORPUS
from tests.malformed.outcome import EXPECTED, Outcome

_ANNOTATIONS = ("voc", "paths", "csv", "coco")
# Two test files, so that two workers have about as much to do.
IN_ANNOTATIONS = [name for name, case in CORPUS.items() if case.area in _ANNOTATIONS]
ELSEWHERE = [name for name, case in CORPUS.items() if case.area not in _ANNOTATIONS]


@cache
def _messages() -> dict[str, list[str]]:
    """The expected messages of each case."""
    content: dict[str, list[str]] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return content


def expected_outcome(name: str) -> Outcome:
    """What should become of a case: the expected end and messages, and no fault."""
    return Outcome(ends=CORPUS[name].ends, messages=_messages()[name], faults=[])
