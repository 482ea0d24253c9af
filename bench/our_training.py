"""`python -m tasks train`, told when each step and each validation ended: `python -m bench.our_training PARAMS REPORT`.

The stage runs as it is. The time is taken where it hands a figure to dvclive, which it does once a step and once a
validation.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from dvclive import Live

from tasks.__main__ import main as run

_NOTED = {"train/loss": "steps", "val/AP50": "AP50"}


def main(params: str, report: str) -> int:
    """Run the stage, then write `[step, time]` of steps and `[step, time, value]` of validations."""
    noted: dict[str, list[list[float]]] = {"steps": [], "AP50": []}
    log = Live.log_metric

    def log_and_note(self: Live, name: str, value: float, *rest: Any, **named: Any) -> None:
        log(self, name, value, *rest, **named)
        kind = _NOTED.get(name)
        if kind:
            noted[kind].append([self.step, time.time(), *([value] if kind == "AP50" else [])])

    Live.log_metric = log_and_note
    status = run(["train", "--params", params])
    Path(report).write_text(json.dumps(noted), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
