"""`python -m tests.prediction.kill_everywhere FOLDER`: kill a run before each of its file operations, then run again.

Each run is a process of its own, which sends itself SIGKILL. Prints, as JSON, for each moment: what the killed run had
finished, what the second one detected in, and what there is in the end.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.prediction.finding import WhiteFinder, picture
from tests.prediction.growing import Growing

# Raised by Python before it does them (docs.python.org/3/library/audit_events.html).
_OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
_MOST_MOMENTS = 1000


class _Noting(WhiteFinder):
    """Notes what it was asked, in a file that outlives its process."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self._notes = notes

    def _one(self, image):
        with self._notes.open("a") as file:
            # The width tells the photos apart.
            file.write(f"{image.shape[1]}\n")
        return super()._one(image)


def _photos(growing: Growing) -> None:
    for number, name in enumerate(("a.png", "gate/b.png", "c.png")):
        picture(growing.photos / name, size=(60 + number, 40))
    (growing.photos / "copy.png").write_bytes((growing.photos / "a.png").read_bytes())
    (growing.photos / "bad.png").write_bytes(b"no image")


def _in_own_process(work: Callable[[], object]) -> int:
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(process, 0)[1]


def _kill_before(operation: int, below: Path) -> None:
    left = operation

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in _OPERATIONS and str(below) in str(arguments[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _moment(folder: Path, operation: int) -> dict[str, object]:
    """Kill a run before its `operation`th operation in the folder of results, then run again."""
    growing = Growing(folder)
    _photos(growing)
    notes = [folder / "first", folder / "second"]

    def run(number: int) -> None:
        growing.run(draw=True, load=lambda: _Noting(notes[number]))

    def killed_run() -> None:
        _kill_before(operation, growing.out)
        run(0)

    status = _in_own_process(killed_run)
    finished = growing.results()
    broken = [name for name in finished if "info" not in growing.result(name.removesuffix(".json"))]
    second = _in_own_process(lambda: run(1))
    return {
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "first ended well": status == 0,
        "finished": finished,
        "broken": broken,
        "second ended well": second == 0,
        "second detected": sorted(notes[1].read_text().split()) if notes[1].exists() else [],
        "results": growing.results(),
        "drawn": growing.drawn(),
        "leftovers": [str(path) for path in growing.out.rglob("*.partial")],
        "third is idle": growing.run(draw=True).new == 0,
    }


def main(folder: Path) -> None:
    moments = []
    for operation in range(1, _MOST_MOMENTS):
        moment = _moment(folder / str(operation), operation)
        moments.append(moment)
        if not moment["killed"]:
            break
    print(json.dumps(moments))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
