"""Stage `train`: fine-tune the configured model on the training records, choose by the validation records."""

import hashlib
import json
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasks.artifacts.training import ModuleAudit, write_freeze_audit, write_restore_summary, write_training_figures
from tasks.dataset.dataset import Dataset
from tasks.detector.initialise import initialise
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.detector.restore import Restored, restore
from tasks.detector.runtime import gpu_peak_mb, prepare_runtime
from tasks.errors import TrainingError
from tasks.ground.files import CODE, replacing, sha256_of
from tasks.ground.process import peak_memory_mb
from tasks.metrics.coco import coco_figures
from tasks.model.label_map import read_label_map
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.balance import shares
from tasks.training.curves import training_curves
from tasks.training.feeding import Feed, batches_of, choose_feed
from tasks.training.freeze import audit, auto_freeze, frozen_keys, hold_still, snapshot, trainable
from tasks.training.loop import OnRow, Trainer, Validate
from tasks.training.optimizing import TwoRates
from tasks.training.replicas import Copies, Replicas, replicas_here
from tasks.training.resume import Progress, ResumeFolder, write_checkpoint
from tasks.training.summary import tell_auto_freeze, tell_end, tell_start, training_figures
from tasks.training.validation import RecordsDetector

if TYPE_CHECKING:
    from tasks.params import TrainParams


def train(
    params: "TrainParams",
    *,
    pipeline_config: Path,
    records: Path,
    base: Path,
    trained: Path,
    metrics_train: Path,
    plots_train: Path,
    resume: Path,
    tensorboard: Path,
) -> dict[str, Any]:
    """Train `params.steps` steps, from the last saved step if an earlier run of exactly this was killed.

    Writes `trained`/best and `trained`/last (TensorFlow checkpoints), `trained`/restore.json, the metrics, and
    dvclive's curves below `plots_train`. Of several machines the first, the chief, does.
    That there are training images, `configure` has seen to.

    Raises:
        TrainingError: another trainer in the resume folder, a loss that is not finite, or a frozen variable that moved.
        CheckpointError: nothing of the backbone was restored.
    """
    replicas = replicas_here()
    on_gpu = prepare_runtime(params.seed, params.precision)
    classes = read_label_map(records / "label_map.pbtxt")
    train_part, val_part = read_split(records, "train"), read_split(records, "val")
    run = _prepare(params, pipeline_config, base, classes, len(train_part), replicas)
    folder = ResumeFolder(resume, _run_key(params, pipeline_config, records, base))
    score = _scorer(run.network, records, Dataset(records, classes, val_part))
    with _resumed(folder, run.trainer, replicas) as progress:
        run.copies.spread()
        if progress.step:
            print(f"train: resuming after step {progress.step} of {params.steps}")
        batches = batches_of(
            run.feed,
            params,
            shards_of(records, "train"),
            replicas,
            size=(run.network.height, run.network.width),
            max_boxes=max(8, *(len(image.classes) for image in train_part)),
            shown=shares(train_part, params.class_balance) if params.class_balance else None,
            room=resume,
            start_step=progress.step,
        )
        with _curves(plots_train, tensorboard if params.tensorboard else None, replicas) as on:
            for row in progress.history:
                on(row)
            run.trainer.run(batches, folder, progress, on, score)
        with run.trainer.as_shipped():
            modules = audit(run.network, run.frozen, run.before)
            _refuse_moved(modules, params)
            figures = training_figures(
                progress,
                params,
                modules,
                startup_s=run.trainer.startup_s,
                peak_memory_mb=peak_memory_mb(),
                peak_gpu_memory_mb=gpu_peak_mb(),
            )
            if replicas.chief:
                _write_trained(trained, run, folder, progress, modules, records)
                write_training_figures(metrics_train, figures)
                folder.clear()
    tell_end(figures, params, cached=run.feed.trunk is not None, on_gpu=on_gpu)
    return figures.model_dump(include={"steps", "best_step", "best_mAP", "loss", "step_ms_median"})


@dataclass(frozen=True)
class _Run:
    """What is the same before and after a resume."""

    copies: Copies
    restored: Restored
    frozen: set[str]
    before: dict[str, npt.NDArray[np.float32]]
    feed: Feed
    trainer: Trainer

    @property
    def network(self) -> Network:
        return self.copies.plain


def _prepare(
    params: "TrainParams", pipeline_config: Path, base: Path, classes: tuple[str, ...], images: int, replicas: Replicas
) -> _Run:
    copies = _build(pipeline_config, replicas)
    network = copies.plain
    restored = restore(network, base, classes)
    initialise(network, network.variables.keys() - restored.keys, params.seed)
    freeze = params.freeze
    if freeze == "auto":
        freeze = auto_freeze(network, restored.keys)
        tell_auto_freeze(freeze)
    frozen = frozen_keys(network, freeze)
    hold_still(copies.trained, frozen)
    before = snapshot(network, network.variables)
    tell_start(restored, audit(network, frozen, before))
    feed = choose_feed(network, frozen, params, images, replicas)
    print(f"train: fed with {feed.why}")
    copies.spread()
    with replicas.strategy.scope():
        optimizer = _optimizer(copies.trained, restored, frozen, params)
    trainer = Trainer(copies, replicas, optimizer, params, frozen=frozen, trunk=feed.trunk)
    return _Run(copies, restored, frozen, before, feed, trainer)


def _build(pipeline_config: Path, replicas: Replicas) -> Copies:
    config = read_pipeline_config(pipeline_config)
    plain = build_network(config, is_training=True)
    if replicas.count == 1:
        return Copies(plain, plain)
    with replicas.strategy.scope():
        return Copies(plain, build_network(config, is_training=True, synchronised=True))


def _optimizer(network: Network, restored: Restored, frozen: set[str], params: "TrainParams") -> TwoRates:
    learning = trainable(network, frozen)
    if not learning:
        raise TrainingError(f"train.freeze {params.freeze} leaves nothing to train")
    return TwoRates(
        params,
        [variable for key, variable in learning.items() if key in restored.keys],
        [variable for key, variable in learning.items() if key not in restored.keys],
    )


@contextmanager
def _resumed(folder: ResumeFolder, trainer: Trainer, replicas: Replicas) -> Iterator[Progress]:
    """How far the run has come, its state restored; the chief holds the folder meanwhile."""
    with ExitStack() as held:
        if replicas.chief:
            held.enter_context(folder.lock())
        # The others look when the chief has cleaned up, and find the states it wrote: machines share this folder.
        progress = folder.restore(trainer.state) if replicas.chief else Progress()
        step = replicas.agree(progress.step)
        if not replicas.chief and step:
            progress = folder.restore(trainer.state)
            if progress.step != step:
                raise TrainingError(f"{folder.path}: the state after step {step} is not here; share the folder")
        yield progress


def _scorer(network: Network, records: Path, val: Dataset) -> Validate:
    if not val.images:
        print("train: no validation images (split.val_fraction): the last checkpoint counts as the best")
        return dict
    detector = RecordsDetector(network, shards_of(records, "val"), val.images, val.classes)

    def score() -> dict[str, float]:
        found = coco_figures(val, detector())
        return {name: found[name] or 0.0 for name in ("mAP", "AP50")}

    return score


def _curves(plots_train: Path, tensorboard: Path | None, replicas: Replicas) -> AbstractContextManager[OnRow]:
    if replicas.chief:
        return training_curves(plots_train, tensorboard)
    return nullcontext(lambda row: None)


def _refuse_moved(modules: Sequence[ModuleAudit], params: "TrainParams") -> None:
    # Not `> 0`: NaN must not pass.
    moved = [row for row in modules if not row.frozen_max_abs_change == row.frozen_statistics_max_abs_change == 0]
    if moved:
        said = ", ".join(
            f"{row.module} (weights by {row.frozen_max_abs_change:g}, moving statistics by "
            f"{row.frozen_statistics_max_abs_change:g})"
            for row in moved
        )
        raise TrainingError(
            f"train.freeze {params.freeze}: frozen variables moved: {said}. The result is not what was asked for and "
            "is not kept; this is a bug in the pipeline"
        )


def _write_trained(
    trained: Path,
    run: _Run,
    folder: ResumeFolder,
    progress: Progress,
    modules: Sequence[ModuleAudit],
    records: Path,
) -> None:
    with replacing(trained) as partial:
        (partial / "best").mkdir(parents=True)
        (partial / "last").mkdir()
        write_checkpoint(run.trainer.weights, partial / "last" / "ckpt-0")
        best = folder.best(progress.best_step) if progress.best_step else partial / "last" / "ckpt-0"
        for file in best.parent.glob(f"{best.name}.*"):
            shutil.copy(file, partial / "best" / file.name.replace(best.name, "ckpt-0", 1))
        shutil.copy(records / "label_map.pbtxt", partial)
        write_restore_summary(partial, run.restored.summary())
        write_freeze_audit(partial, modules)


def _run_key(params: "TrainParams", pipeline_config: Path, records: Path, base: Path) -> str:
    """A hash of all that decides the result: params, config, data, weights, code and the machine's kind."""
    # All of the project's code: one more clean start is cheaper than a run continued by other rules.
    code = sorted(CODE.rglob("*.py"))
    inputs = [pipeline_config, *sorted(records.iterdir()), *sorted(p for p in base.rglob("*") if p.is_file()), *code]
    known = [params.model_dump_json(), platform.machine(), *(f"{p.name} {sha256_of(p)}" for p in inputs)]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
