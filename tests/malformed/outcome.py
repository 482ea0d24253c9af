"""What becomes of a malformed input, and what is wrong with that.

`python -m tests.malformed.outcome` writes expected.json anew after a message was reworded: read its diff.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.dataset.problem_kinds import KINDS
from tests.malformed.case import Case
from tests.malformed.confined import MAX_BYTES, Confined, Ended
from tests.malformed.corpus import CORPUS, write

EXPECTED = Path(__file__).with_name("expected.json")
_WRITES = {
    "ingest": ["data/ingested/annotations.json"],
    "validate": ["data/validated/annotations.json", "metrics/data.json"],
    "split": ["data/splits", "metrics/split.json"],
    "checkpoint": ["models/base"],
}
# So many problems of a case stand in expected.json, and how many there are.
_LISTED = 5


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        ends: as `Case.ends`.
        messages: the lines of the refusal, or the problems as `kind (action) file: detail`.
        faults: what must never be, whatever the input.
    """

    ends: tuple[str, ...] | str
    messages: list[str]
    faults: list[str]


def outcome(case: Case, folder: Path, confined: Confined) -> Outcome:
    """Make the case in the new folder `folder`, run its stages there, and look at what is left."""
    write(case, folder)
    faults: list[str] = []
    for stage in case.stages:
        ended = confined.run(folder, stage)
        faults += [f"{stage}: {fault}" for fault in faults_of(ended, folder)]
        if ended.exit:
            faults += [f"{stage}: left {name}" for name in _WRITES[stage] if (folder / name).exists()]
            return Outcome(f"refused by {stage}", _refusal(ended, stage), faults)
        faults += [f"{stage}: did not write {name}" for name in _WRITES[stage] if not (folder / name).exists()]
    problems = _problems(folder)
    faults += [f"no remedy for {kind}" for kind in {p["kind"] for p in problems} - KINDS.keys() if kind.isprintable()]
    if case.explained and problems:
        faults += _explained(problems[0], folder, confined)
    # How far up a device is depends on where the test runs.
    messages = [
        re.sub(r"(\.\./)+dev/", "/dev/", f"{p['kind']} ({p['action']}) {p['file']}: {p['detail']}") for p in problems
    ]
    listed = messages[:_LISTED] + ([f"and {len(messages) - _LISTED} more"] if len(messages) > _LISTED else [])
    return Outcome(tuple(sorted({p["kind"] for p in problems})), listed, faults)


def faults_of(ended: Ended, folder: Path) -> list[str]:
    """What no input may lead to: a hang, a traceback, much memory, a partial file, output that acts on a terminal."""
    faults = ["did not end in time"] if ended.hung else []
    if ended.exit not in (0, 1) or "Traceback" in ended.printed:
        faults.append(f"ended with {ended.exit}: {ended.printed[-1000:]}")
    if ended.peak_bytes > MAX_BYTES:
        faults.append(f"held {ended.peak_bytes / 1e6:.0f} MB")
    faults += [f"left {path.relative_to(folder)}" for path in folder.rglob("*.partial")]
    faults += [f"printed {character!r}" for character in sorted(acting(ended.printed))]
    written = "".join(path.read_text(encoding="utf-8") for path in _json_files(folder))
    return faults + [f"wrote {character!r}" for character in sorted(acting(written))]


def acting(text: str) -> set[str]:
    """The characters of `text` that act on a terminal; a bar of progress needs the carriage return."""
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in "\n\r"}


def _json_files(folder: Path) -> Iterator[Path]:
    for names in _WRITES.values():
        for path in (folder / name for name in names):
            yield from sorted(path.glob("*.json")) if path.is_dir() else [path] if path.is_file() else []


def _refusal(ended: Ended, stage: str) -> list[str]:
    """The message: the lines from the last that begins with the stage's name."""
    lines = ended.printed.replace("\r", "\n").split("\n")
    start = max((i for i, line in enumerate(lines) if line.startswith(f"{stage}: ")), default=0)
    return [line for line in lines[start:] if line]


def _problems(folder: Path) -> list[dict[str, Any]]:
    listed = (folder / name for name in ("data/validated/annotations.json", "data/ingested/annotations.json"))
    path = next(path for path in listed if path.is_file())
    problems: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["problems"]
    return problems


def _explained(problem: dict[str, Any], folder: Path, confined: Confined) -> list[str]:
    """What is wrong with how `explain` reports a problem."""
    ended = confined.run(folder, "explain", problem["file"].split(":")[0])
    faults = [f"explain: {fault}" for fault in faults_of(ended, folder)]
    return faults + ([] if KINDS[problem["kind"]].remedy in ended.printed else ["explain: the remedy is missing"])


def main() -> None:
    """Write expected.json anew; stop at the first fault or unexpected end."""
    messages: dict[str, list[str]] = {}
    with TemporaryDirectory() as folder, Confined() as confined:
        for number, (name, case) in enumerate(CORPUS.items()):
            found = outcome(case, Path(folder) / str(number), confined)
            if found.faults or found.ends != case.ends:
                raise SystemExit(f"{name}: {found.ends} {found.faults}; expected {case.ends}")
            messages[name] = found.messages
    EXPECTED.write_text(json.dumps(messages, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    print(f"{EXPECTED}: {len(messages)} outcomes")


if __name__ == "__main__":
    main()
