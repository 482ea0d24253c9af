"""A folder that photos are put into, and runs of `predict-folder` over it with a detector that needs no training."""

import json
import os
from pathlib import Path

from tasks.prediction.folder_run import Summary, predict_new
from tasks.prediction.ledger import Made
from tasks.prediction.new_photos import Rules
from tests.prediction.finding import WhiteFinder

MODEL = "a" * 64


class Growing:
    """The folder `photos`, with results in `out`.

    Attributes:
        finders: those that were loaded, in order; a run without new photos loads none.
    """

    def __init__(self, folder: Path, out: Path | None = None) -> None:
        self.photos = folder / "photos"
        self.out = out or self.photos / "predictions"
        self.finders: list[WhiteFinder] = []

    def run(
        self, *, model: str = MODEL, score: float = 0.3, draw=False, again=False, settle_s=0.0, load=None
    ) -> Summary:
        rules = Rules(Made(model, score, draw), again, settle_s)
        summary, _ = predict_new(
            self.photos, self.out, rules, load or self._load, batch_size=2, report=lambda line: None
        )
        return summary

    def _load(self) -> WhiteFinder:
        self.finders.append(WhiteFinder())
        return self.finders[-1]

    @property
    def detected(self) -> int:
        """How many pictures were detected in, by all runs."""
        return sum(len(batch) for finder in self.finders for batch in finder.batches)

    def results(self) -> list[str]:
        return sorted(path.relative_to(self.out).as_posix() for path in self.out.rglob("*.json"))

    def result(self, name: str) -> dict:
        return json.loads((self.out / f"{name}.json").read_text())

    def drawn(self) -> list[str]:
        return sorted(path.relative_to(self.out).as_posix() for path in self.out.rglob("*.jpg"))


def keep_times(path: Path, content: bytes) -> None:
    """Write `content` over `path`, and set its time back, as `cp -p` and cameras without a clock do."""
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
