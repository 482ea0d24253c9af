"""Two phases on a tiny network: what each freezes stays, and a killed run ends with the same bits, wherever it died."""

import gc
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tensorflow as tf

from tasks.artifacts.training import read_freeze_audits, read_training_figures
from tasks.errors import PipelineError, TrainingError
from tasks.model.schedule import phases_of, total_steps
from tasks.params import CacheParams, TrainParams
from tasks.params.value_types import SecondPhaseParams
from tasks.stages.train import train
from tasks.training.feeding import BatchSource
from tasks.training.freeze import frozen_keys, max_abs_change, snapshot
from tasks.training.phases import PhaseAudit, audit_phase, train_phases
from tasks.training.preparation import PreparedRun, prepare_run
from tasks.training.progress import HistoryRow, Progress, RowListener, ValidationScores
from tasks.training.replicas import Replicas
from tasks.training.resume import ResumeFolder
from tests.training.interrupted import InterruptedRunError, until
from tests.training.kept_photos import kept_photos
from tests.training.train_params import train_params

pytestmark = pytest.mark.slow

ALONE = Replicas(tf.distribute.get_strategy())
PARAMS = train_params(
    steps=4,
    batch_size=2,
    warmup_steps=1,
    eval_every=2,
    save_every=3,
    freeze=2,
    ema_decay=0.5,
    cache=CacheParams(use="memory", copies=1, dtype="float32", memory_mb=1000),
    second_phase=SecondPhaseParams(steps=5, freeze=["^feature_maps/"], learning_rate=0.002),
)


class Ended(NamedTuple):
    """A run that ended, with its averages in place."""

    run: PreparedRun
    audits: list[PhaseAudit]
    progress: Progress
    shipped: dict[str, Any]


def run(inputs: Path, folder: Path, params: TrainParams = PARAMS, listener: RowListener = lambda row: None) -> Ended:
    phases = phases_of(params)
    first = prepare_run(phases[0], inputs / "pipeline.config", inputs / "base", ("cat", "dog"), 8, ALONE)
    resume = ResumeFolder(folder, "run")

    def batches(prepared: PreparedRun, start_step: int) -> Any:
        source = BatchSource(
            prepared.feed,
            prepared.phase.params,
            [inputs / "records" / "train-00000-of-00001.tfrecord"],
            ALONE,
            resizer=first.network.resizer,
            max_boxes=8,
            cache_folder=folder,
        )
        return source.batches(start_step)

    with resume.lock():
        progress = resume.saved()
        last, audits, _ = train_phases(
            first,
            phases,
            resume,
            progress,
            ALONE,
            images=8,
            batches_of=batches,
            listener=listener,
            validate=lambda: ValidationScores(mAP=progress.step / 100, AP50=0.5),
        )
    with last.trainer.as_shipped():
        shipped = snapshot(last.network, last.network.variables)
        return Ended(last, [*audits, audit_phase(last)], progress, shipped)


@pytest.fixture(scope="module")
def whole(stage_inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run(stage_inputs, tmp_path_factory.mktemp("whole"))


# Killed within the first phase, at its last step, before and after the first state of the second, and near the end.
@pytest.mark.parametrize("last", [3, 4, 5, 7, 8])
def test_a_run_killed_anywhere_ends_with_the_same_bits(
    last: int, whole: Ended, stage_inputs: Path, tmp_path: Path
) -> None:
    with suppress(InterruptedRunError):
        run(stage_inputs, tmp_path, listener=until(last))
    ended = run(stage_inputs, tmp_path)
    assert [row.loss for row in ended.progress.steps] == [row.loss for row in whole.progress.steps]
    assert max_abs_change(ended.run.network, snapshot(whole.run.network, whole.run.network.variables)) == 0.0
    assert all((ended.shipped[key] == value).all() for key, value in whole.shipped.items())
    assert [row.frozen for each in ended.audits for row in each.modules] == [
        row.frozen for each in whole.audits for row in each.modules
    ]
    assert ended.progress.best_step == whole.progress.best_step


def test_each_phase_has_its_own_frozen_layers_steps_and_rate(whole: Ended) -> None:
    first, second = whole.audits
    network = whole.run.network
    assert (first.cached, second.cached) == (True, False)
    assert sum(row.frozen for row in first.modules) == len(frozen_keys(network, 2))
    assert sum(row.frozen for row in second.modules) == len(frozen_keys(network, ["^feature_maps/"]))
    assert max(row.frozen_max_abs_change for each in whole.audits for row in each.modules) == 0.0
    # What the first phase froze learns in the second.
    assert all(row.trained_max_abs_change > 0 for row in second.modules if row.module.startswith("backbone block"))
    rates = [row.learning_rate for row in whole.progress.steps]
    assert len(rates) == total_steps(PARAMS) == 9
    # Warm-up, peak and decay, twice; the second time to the second phase's rate.
    assert max(rates[:4]) == pytest.approx(PARAMS.learning_rate)
    assert max(rates[4:]) == pytest.approx(0.002)
    assert rates[4] == pytest.approx(0.0002)
    assert [row.step for row in whole.progress.validations] == [2, 4, 6, 8, 9]
    assert whole.progress.best_step == 9


def test_the_batchnorm_of_what_is_frozen_no_more_follows_the_batches(whole: Ended) -> None:
    network, run_ = whole.run.network, whole.run
    moved = {
        key
        for key in frozen_keys(network, 2)
        if "moving_mean" in key and max_abs_change(network, {key: run_.initial_values[key]}) > 0
    }
    assert moved


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        (
            ["^feature_maps/", "nothing_like_this"],
            r"^train\.second_phase\.freeze: 'nothing_like_this' matches the name",
        ),
        ([""], r"^train\.second_phase\.freeze \[''\] leaves nothing to train"),
        (99, r"^train\.second_phase\.freeze: 99 blocks, but this backbone has"),
    ],
    ids=["no such name", "all", "too many blocks"],
)
def test_a_second_phase_that_cannot_freeze_so_is_refused_before_the_first_step(
    freeze: int | list[str], message: str, stage_inputs: Path, tmp_path: Path
) -> None:
    second = SecondPhaseParams.model_construct(steps=5, freeze=freeze, learning_rate=0.002)
    taken: list[HistoryRow] = []
    with pytest.raises(PipelineError, match=message):
        run(stage_inputs, tmp_path, PARAMS.model_copy(update={"second_phase": second}), taken.append)
    assert taken == []


def test_the_photos_kept_for_the_first_phases_mosaics_are_gone_in_the_second(
    stage_inputs: Path, tmp_path: Path
) -> None:
    off = CacheParams(use="off", copies=0, dtype="float32", memory_mb=1)
    mosaic = PARAMS.augment.model_copy(update={"mosaic": 0.5})
    params = PARAMS.model_copy(update={"cache": off, "augment": mosaic})
    kept: dict[int, int] = {}

    def count(row: HistoryRow) -> None:
        kept[row.step] = kept_photos((8, 64, 64, 3))

    gc.disable()
    try:
        run(stage_inputs, tmp_path, params, count)
    finally:
        gc.enable()
    assert (kept[1], kept[5]) == (1, 1)


def test_a_run_that_ends_early_in_the_first_phase_has_no_second(stage_inputs: Path, tmp_path: Path) -> None:
    ended = run(stage_inputs, tmp_path, PARAMS.model_copy(update={"max_minutes": 1e-9}))
    assert (ended.progress.step, ended.progress.stopped_by, len(ended.audits)) == (1, "max_minutes", 1)


def test_the_stage_writes_the_figures_of_both_phases(stage_inputs: Path, tmp_path: Path) -> None:
    train(
        PARAMS,
        pipeline_config=stage_inputs / "pipeline.config",
        records=stage_inputs / "records",
        base=stage_inputs / "base",
        trained=tmp_path / "trained",
        metrics_train=tmp_path / "train.json",
        plots_train=tmp_path / "plots",
        resume=tmp_path / "resume",
        tensorboard=tmp_path / "logs",
    )
    figures = read_training_figures(tmp_path / "train.json")
    assert figures.phases
    assert [(phase.steps, phase.freeze) for phase in figures.phases] == [(4, 2), (5, ["^feature_maps/"])]
    assert (figures.steps, figures.border, figures.stopped_by) == (9, 4, "steps")
    assert figures.frozen_variables == figures.phases[0].frozen_variables > 0
    assert figures.frozen_max_abs_change == 0.0
    audits = read_freeze_audits(tmp_path / "trained")
    assert [sum(row.frozen for row in rows) for rows in audits] == [each.frozen_variables for each in figures.phases]


def test_a_variable_that_moved_in_the_second_phase_is_found(whole: Ended) -> None:
    network = whole.run.network
    key = next(key for key in whole.run.frozen if key.endswith("kernel"))
    before = network.variables[key].numpy()
    network.variables[key].assign_add(before * 0 + 1.0)
    with pytest.raises(
        TrainingError, match=r"train\.second_phase\.freeze \['\^feature_maps/'\]: frozen variables moved"
    ):
        audit_phase(whole.run)
    network.variables[key].assign(before)
