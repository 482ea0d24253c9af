"""Steps on a tiny network: resumed equals uninterrupted, frozen stays frozen, a bad loss stops it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.errors import TrainingError
from tasks.training.batchnorm import hold_still
from tasks.training.examples import Augment, training_batches
from tasks.training.freeze import frozen_keys, max_abs_change, snapshot, trainable
from tasks.training.loop import Trainer
from tasks.training.optimizing import TwoRates
from tasks.training.progress import Progress, Validate, ValidationScores
from tasks.training.replicas import Copies, Replicas
from tasks.training.resume import ResumeFolder
from tests.detector.toy_network import toy_network
from tests.training.interrupted import InterruptedRunError, until
from tests.training.train_params import train_params

pytestmark = pytest.mark.slow

PARAMS = train_params(steps=6, batch_size=2, warmup_steps=2, eval_every=3, save_every=3)

SCORES = ValidationScores(mAP=0.5, AP50=0.5)


class Run:
    """A tiny network and its trainer, always with the same first values."""

    def __init__(
        self, shard: Path, build: Callable[[], Network] = toy_network, freeze: int | str = 1, **changes: Any
    ) -> None:
        params = self.params = PARAMS.model_copy(update=changes)
        self.shard = shard
        self.network = build()
        initialise(self.network, self.network.variables, seed=1)
        self.frozen = frozen_keys(self.network, freeze)
        hold_still(self.network, self.frozen)
        self.before = snapshot(self.network, set(self.network.variables))
        variables = list(trainable(self.network, self.frozen).values())
        self.trainer = Trainer(
            Copies(self.network, self.network),
            Replicas(tf.distribute.get_strategy()),
            TwoRates(params, variables[:9], variables[9:]),
            params,
            frozen=self.frozen,
        )

    def train(self, folder: Path, validate: Validate = lambda: SCORES, last: int = 6) -> Progress:
        """Train to the end, or until a step after `last` interrupts the run."""
        resume = ResumeFolder(folder, "run")
        with resume.lock(), suppress(InterruptedRunError):
            progress = resume.restore(self.trainer.state)
            batches = training_batches(
                [self.shard],
                resizer=self.network.resizer,
                batch_size=2,
                max_boxes=4,
                augment=Augment(0.5, 0.5, 0.5, 0.5),
                seed=1,
                start_step=progress.step,
            )
            self.trainer.run(batches, resume, progress, until(last), validate)
        return progress

    def saved_progress(self, folder: Path) -> Progress:
        resume = ResumeFolder(folder, "run")
        with resume.lock():
            return resume.restore(self.trainer.state)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def uninterrupted(folder: Path, grey_shard: Path) -> tuple[Run, Progress]:
    run = Run(grey_shard)
    return run, run.train(folder / "whole")


def test_a_resumed_run_ends_with_the_same_bits(
    uninterrupted: tuple[Run, Progress], folder: Path, grey_shard: Path
) -> None:
    expected = snapshot(uninterrupted[0].network, set(uninterrupted[0].network.variables))
    Run(grey_shard).train(folder / "parts", last=4)
    second = Run(grey_shard)
    progress = second.train(folder / "parts")
    assert max_abs_change(second.network, expected) == 0.0
    losses = [[row.loss for row in run.steps] for run in (uninterrupted[1], progress)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6


def test_every_unfrozen_variable_learns_and_no_frozen_one_changes(uninterrupted: tuple[Run, Progress]) -> None:
    run, _ = uninterrupted
    moved = {key for key, value in run.before.items() if max_abs_change(run.network, {key: value}) > 0}
    assert not moved & run.frozen
    assert set(trainable(run.network, run.frozen)) <= moved


def test_a_loss_that_is_not_finite_stops_training_and_names_the_images(
    uninterrupted: tuple[Run, Progress], folder: Path
) -> None:
    run, _ = uninterrupted
    key = next(key for key in run.network.variables if key not in run.frozen and key.endswith("kernel"))
    before = run.network.variables[key].numpy()
    run.network.variables[key].assign(np.full_like(before, np.nan))
    with pytest.raises(TrainingError, match=r"step 1: .*[0-6]\.jpg.*train\.learning_rate"):
        run.train(folder / "broken")
    assert not list((folder / "broken").rglob("current.json"))


def test_training_ends_after_validations_without_a_gain(folder: Path, grey_shard: Path) -> None:
    run = Run(grey_shard, patience=2, eval_every=1)
    scores = iter([0.1, 0.4, 0.3, 0.4, 0.9])

    progress = run.train(folder / "impatient", lambda: ValidationScores(mAP=next(scores), AP50=0.0))

    assert (progress.step, progress.stopped_by, progress.best_step) == (4, "patience", 2)
    assert run.saved_progress(folder / "impatient") == progress


def test_training_ends_with_a_validation_when_its_time_is_over(folder: Path, grey_shard: Path) -> None:
    progress = Run(grey_shard, max_minutes=1e-9).train(folder / "late")

    assert (progress.step, progress.stopped_by, progress.best_step) == (1, "max_minutes", 1)


def test_averages_are_validated_and_kept_and_resume_to_the_same_bits(folder: Path, grey_shard: Path) -> None:
    seen: list[float] = []

    def run(name: str, last: int = 6) -> Run:
        run = Run(grey_shard, ema_decay=0.9)
        key = next(key for key in trainable(run.network, run.frozen) if key.endswith("kernel"))

        def validate() -> ValidationScores:
            seen.append(float(run.network.variables[key].numpy().sum()))
            return SCORES

        run.train(folder / name, validate, last)
        seen.append(float(run.network.variables[key].numpy().sum()))
        with run.trainer.as_shipped():
            seen.append(float(run.network.variables[key].numpy().sum()))
        return run

    whole = run("averaged")
    # Validated twice, the second time after the last step, with the averages and not with the step's own weights.
    _, at_end, own, shipped = seen
    assert at_end == shipped != own
    run("averaged parts", last=4)
    parts = run("averaged parts")
    with whole.trainer.as_shipped():
        expected = snapshot(whole.network, whole.network.variables)
    with parts.trainer.as_shipped():
        assert max_abs_change(parts.network, expected) == 0.0
