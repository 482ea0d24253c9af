"""Single training processes: the stock loop's and the `train` stage's, on the same records, from the same weights."""

import json
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import yaml

from bench.processes import Cost, cost_of
from bench.run_folder import STAGES, prepare, stage
from tasks.params import Params, read_params
from tasks.tfrecords.tf_example import read_split, shard_name
from tasks.tfrecords.tfrecord import write_records

LEAST_STEPS = 3
# The first steps fill queues and pools of memory.
_SETTLING = 10
_PATHS_OF_A_RUN = ("trained", "resume", "metrics_train", "plots_train")


@dataclass(frozen=True)
class Run:
    """The cost of one training process.

    Attributes:
        cost: of the whole process.
        first_step: seconds from the start of the process to the end of its first step.
        step: median seconds from the end of a step to the end of the next, once settled, waiting for data and
            logging included.
        scores: `(seconds from the start, validation AP50)` of each validation.
    """

    cost: Cost
    first_step: float
    step: float
    scores: tuple[tuple[float, float], ...]


class TrainingFolder:
    """A folder with records, weights and configuration for both sides."""

    def __init__(self, folder: Path, data: Path | None, steps: int) -> None:
        """Run the stages before `train` in `folder`, over `data` or the drawn sample, for runs of `steps` steps."""
        self.folder = folder
        prepare(folder, data or folder / "data" / "sample", {"train": {"steps": steps}})
        self.params: Params = read_params(folder / "params.yaml")
        for name in (*([] if data else ["sample"]), *STAGES, "checkpoint", "configure"):
            stage(folder, name)
        records = folder / self.params.paths.records
        self.images, self.val_images = len(read_split(records, "train")), len(read_split(records, "val"))
        if not self.val_images:
            raise RuntimeError(f"{data}: no image is left for validation; use more images, or raise split.val_fraction")
        self._unvalidated = folder / "data" / "records-without-val"
        shutil.copytree(records, self._unvalidated, ignore=shutil.ignore_patterns("val-*"))
        write_records(self._unvalidated / shard_name("val", 0, 1), [])
        self._checkpoint("start", self.folder / "stock")

    def stock(self) -> Run:
        """The stock loop, `train.steps` steps; then its last checkpoint scored, which does not count.

        Raises:
            RuntimeError: it did not start from the weights that `train` starts from.
        """
        model_dir, report = self.folder / "stock" / "model", self.folder / "stock" / "report.json"
        shutil.rmtree(model_dir, ignore_errors=True)
        steps = str(self.params.train.steps)
        config = self.folder / "stock" / "pipeline.config"
        cost = cost_of(["-m", "bench.stock_training", str(config), str(model_dir), steps, str(report)], self.folder)
        score = self.folder / "stock" / "score.json"
        self._checkpoint("score", self.folder / "stock", model_dir, score)
        figures = json.loads(score.read_text(encoding="utf-8"))
        if figures["start_difference"] != 0:
            raise RuntimeError(
                f"the stock loop started from other weights: they differ by {figures['start_difference']}"
            )
        return _measured(cost, report, ((cost.seconds, figures["AP50"]),))

    def ours(self, name: str, train: Mapping[str, object], *, validating: bool) -> Run:
        """The stage, with some of its params changed; without validation images unless `validating`."""
        folder = self.folder / "runs" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        params = yaml.safe_load((self.folder / "params.yaml").read_text(encoding="utf-8"))
        params["train"] |= train
        # Relative to the folder that it runs in, as a stage wants its paths.
        params["paths"] |= {path: str((folder / path).relative_to(self.folder)) for path in _PATHS_OF_A_RUN}
        if not validating:
            params["paths"]["records"] = str(self._unvalidated.relative_to(self.folder))
        written, report = folder / "params.yaml", folder / "report.json"
        written.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
        return _measured(cost_of(["-m", "bench.our_training", str(written), str(report)], self.folder), report)

    def steps_to_cache(self, steps: int) -> int:
        """`steps`, or more where `train.cache.use: auto` needs more to find caching worth while."""
        entries = self.images * (1 + self.params.train.cache.copies)
        return max(steps, -(-entries // self.params.train.batch_size))

    def _checkpoint(self, command: str, *paths: Path) -> None:
        cost_of(["-m", "bench.stock_checkpoint", command, "params.yaml", *map(str, paths)], self.folder)


def _measured(cost: Cost, report: Path, scores: Sequence[tuple[float, float]] = ()) -> Run:
    noted = json.loads(report.read_text(encoding="utf-8"))
    ends = noted["steps"]
    found = tuple(scores) or tuple((when - cost.started, value) for _, when, value in noted["AP50"])
    return Run(cost, ends[0][1] - cost.started, settled_step(ends), found)


def settled_step(ends: Sequence[tuple[int, float]]) -> float:
    """Median seconds a step, from `(step, when it ended)`; of a short run the first half does not count."""
    each = [(after - before) / (step - last) for (last, before), (step, after) in pairwise(ends)]
    return statistics.median(each[min(_SETTLING, len(each) // 2) :])
