"""Which findings of the data gate came or went between two runs."""

import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tasks.comparison.pairing import pair_in_rounds
from tasks.dataset.dataset import Problem

_LINE = re.compile(r":\d+$")
_OBJECT_NUMBER = re.compile(r"^object \d+ ")


@dataclass(frozen=True)
class FindingChange:
    """The problems of one kind that came and those that went."""

    kind: str
    came: tuple[Problem, ...]
    went: tuple[Problem, ...]


@dataclass(frozen=True)
class Findings:
    """What the gate found.

    Attributes:
        problems: each of them.
        folders: where the data lie, as the problems have it: paths in them are compared without these.
    """

    problems: Sequence[Problem] = ()
    folders: Sequence[str] = ()


def finding_changes(before: Findings, after: Findings) -> list[FindingChange]:
    """One entry for each kind of which a problem came or went, the kind with the most first.

    Another line of the same file, or another number of the same object, is no change: both shift when a line or an
    object before them goes. Nor is another folder of the whole data.
    """
    keys = [[(_key(each, findings.folders),) for each in findings.problems] for findings in (before, after)]
    pairs = pair_in_rounds(*keys)
    unchanged = [{pair[side] for pair in pairs} for side in (0, 1)]
    came, went = (
        _by_kind([each for place, each in enumerate(problems) if place not in kept])
        for problems, kept in ((after.problems, unchanged[1]), (before.problems, unchanged[0]))
    )
    changes = [FindingChange(kind, tuple(came[kind]), tuple(went[kind])) for kind in sorted(came.keys() | went.keys())]
    return sorted(changes, key=lambda change: -len(change.came) - len(change.went))


def place_of(problem: Problem) -> str:
    """The image that a problem is of, where that is known; else the file, without the line in it."""
    return problem.image or _LINE.sub("", problem.file)


def _key(problem: Problem, folders: Sequence[str]) -> Hashable:
    what = problem.box or _inside(_OBJECT_NUMBER.sub("", problem.detail), folders)
    return problem.kind, problem.action, _inside(place_of(problem), folders), what


def _inside(text: str, folders: Sequence[str]) -> str:
    """`text` with paths inside the folders of the data in place of whole ones."""
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(folder, "")
    return text


def _by_kind(problems: Sequence[Problem]) -> defaultdict[str, list[Problem]]:
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        found[problem.kind].append(problem)
    return found
