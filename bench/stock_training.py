"""The stock loop in a process of its own: `python -m bench.stock_training CONFIG MODEL_DIR STEPS REPORT`.

`model_lib_v2.train_loop` as it is, one step a call, so that it logs each step, and without image summaries. It logs
`steps_per_sec` as soon as a step has ended; the time of that entry in its own event file is the step's end.
"""

import json
import sys
from pathlib import Path

from tensorflow.core.util.event_pb2 import Event

from bench.stock_fixes import fix_stock_loop
from tasks.tfrecords.tfrecord import read_records


def main(config: str, model_dir: str, steps: int, report: str) -> None:
    """Train, then write the end of each step, in seconds since the epoch."""
    fix_stock_loop()
    from object_detection import model_lib_v2  # noqa: PLC0415 - cannot be imported before the fix

    model_lib_v2.train_loop(
        pipeline_config_path=config,
        model_dir=model_dir,
        train_steps=steps,
        # Otherwise it would keep no checkpoint of a run that is shorter than 1,000 steps.
        checkpoint_every_n=steps,
        record_summaries=False,
        num_steps_per_iteration=1,
    )
    Path(report).write_text(json.dumps({"steps": _step_ends(Path(model_dir)), "AP50": []}), encoding="utf-8")


def _step_ends(model_dir: Path) -> list[tuple[int, float]]:
    (events,) = (model_dir / "train").glob("events.out.tfevents.*")
    return [
        (event.step, event.wall_time)
        for event in map(Event.FromString, read_records(events))
        for value in event.summary.value
        if value.tag == "steps_per_sec"
    ]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
