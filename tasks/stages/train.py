"""Stage `train`: fine-tune the configured model on the training records, choose by the validation records."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.training import write_training_figures
from tasks.dataset.dataset import Dataset
from tasks.detector.runtime import gpu_peak_mb, prepare_runtime
from tasks.ground.process import peak_memory_mb
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.model.schedule import phases_of, total_steps
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.balance import shares
from tasks.training.curves import training_curves
from tasks.training.estimate import Estimator
from tasks.training.feeding import BatchSource
from tasks.training.mosaic import most_boxes
from tasks.training.phases import audit_phase, train_phases
from tasks.training.preparation import PreparedRun, prepare_run
from tasks.training.replicas import available_replicas
from tasks.training.results import write_trained
from tasks.training.resume import ResumeFolder, resumed, run_key
from tasks.training.summary import print_end, training_figures
from tasks.training.validation import score_start, validator

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
    """Train all steps of all phases, from the last saved step if an earlier run of exactly this was killed.

    Writes `trained`/best and `trained`/last (TensorFlow checkpoints) with their summaries, the metrics, and dvclive's
    curves below `plots_train`. Of several machines only the chief (the first) writes.
    `configure` has checked that there are training images.

    Raises:
        TrainingError: another trainer in the resume folder, a loss that is not finite, or a frozen variable that moved.
        CheckpointError: nothing of the backbone was restored.
    """
    replicas = available_replicas()
    on_gpu = prepare_runtime(params.seed, params.precision)
    classes = read_label_map(records / LABEL_MAP)
    train_images, val_images = read_split(records, "train"), read_split(records, "val")
    phases = phases_of(params)
    first = prepare_run(phases[0], pipeline_config, base, classes, len(train_images), replicas)
    folder = ResumeFolder(resume, run_key(params, pipeline_config, records, base))
    validate = validator(first.network, records, Dataset(records, classes, val_images))

    estimator = Estimator(phases, len(val_images))

    def batches(run: PreparedRun, start_step: int) -> Any:
        source = BatchSource(
            run.feed,
            run.phase.params,
            shards_of(records, "train"),
            replicas,
            resizer=run.network.resizer,
            max_boxes=most_boxes([len(image.classes) for image in train_images], params.augment.mosaic),
            cache_folder=resume,
        )
        if source.entries:
            estimator.filled(source.seconds, source.entries)
        return source.batches(start_step, shares(train_images, params.class_balance) if params.class_balance else None)

    with resumed(folder, replicas) as progress:
        if progress.step:
            print(f"train: resuming after step {progress.step} of {total_steps(params)}")
        curves = training_curves(plots_train, tensorboard if params.tensorboard else None)
        with curves if replicas.chief else nullcontext(lambda row: None) as listener:
            for row in progress.history:
                listener(row)
            if first.restored.knows_classes and not progress.history and replicas.chief:
                score_start(validate, progress, listener)
            run, audits, startup_s = train_phases(
                first,
                phases,
                folder,
                progress,
                replicas,
                images=len(train_images),
                batches_of=batches,
                listener=listener,
                validate=validate,
                estimator=estimator,
            )
        estimate = estimator.figures()
        with run.trainer.as_shipped():
            audits = [*audits, audit_phase(run)]
            figures = training_figures(
                progress,
                params,
                audits,
                startup_s=startup_s,
                peak_memory_mb=peak_memory_mb(),
                peak_gpu_memory_mb=gpu_peak_mb(),
                estimate=estimate,
            )
            if replicas.chief:
                write_trained(trained, run, folder, progress.best_step, [each.modules for each in audits], records)
                write_training_figures(metrics_train, figures)
                folder.clear()
    # Of freezing, the figures are those of the first phase.
    print_end(figures, params, cached=audits[0].cached, on_gpu=on_gpu)
    return figures.model_dump(include={"steps", "best_step", "best_mAP", "loss", "step_ms_median"})
