"""`python -m tasks train` with the time at which each step and validation ended.

`python -m bench.our_training PARAMS REPORT`. The stage is unchanged: the time is taken when it passes a figure to
dvclive, once a step and once a validation.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from dvclive import Live

from tasks.__main__ import main as run

_TIMED = {"train/loss": "steps", "val/AP50": "AP50"}


def main(params: str, report: str) -> int:
    """Run the stage, then write `[step, time]` of steps and `[step, time, value]` of validations."""
    times: dict[str, list[list[float]]] = {"steps": [], "AP50": []}
    log = Live.log_metric

    def log_with_time(self: Live, name: str, value: float, *rest: Any, **named: Any) -> None:
        log(self, name, value, *rest, **named)
        kind = _TIMED.get(name)
        if kind:
            times[kind].append([self.step, time.time(), *([value] if kind == "AP50" else [])])

    Live.log_metric = log_with_time
    status = run(["train", "--params", params])
    Path(report).write_text(json.dumps(times), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
