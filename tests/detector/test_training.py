"""Steps on a tiny network: resumed equals uninterrupted, frozen stays frozen, a bad loss stops it. Two minutes."""

from pathlib import Path

import numpy as np
import pytest

from tasks.detector.examples import Augment, training_batches
from tasks.detector.freeze import frozen_keys, hold_still, max_abs_change, snapshot, trainable
from tasks.detector.initialise import initialise
from tasks.detector.model_definitions import MODELS
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.optimizing import TwoRates
from tasks.detector.resume import Progress, ResumeFolder
from tasks.detector.training import Trainer
from tasks.errors import TrainingError
from tests.train_params import train_params

pytestmark = pytest.mark.slow

PARAMS = train_params(steps=6, batch_size=2, warmup_steps=2, eval_every=3, save_every=3)


class Run:
    """A tiny network and its trainer, always with the same first values."""

    def __init__(self, shard: Path) -> None:
        self.shard = shard
        config = pipeline_proto(MODELS["ssd_mobilenet_v2_fpnlite_320x320"])
        config.model.ssd.num_classes = 2
        config.model.ssd.image_resizer.fixed_shape_resizer.height = 64
        config.model.ssd.image_resizer.fixed_shape_resizer.width = 64
        self.network: Network = build_network(config, is_training=True)
        initialise(self.network, self.network.variables, seed=1)
        self.frozen = frozen_keys(self.network, 4)
        hold_still(self.network, self.frozen)
        self.before = snapshot(self.network, set(self.network.variables))
        variables = list(trainable(self.network, self.frozen).values())
        self.trainer = Trainer(self.network, TwoRates(PARAMS, variables[:9], variables[9:]), PARAMS)

    def train(self, folder: Path, steps: int) -> Progress:
        resume = ResumeFolder(folder, "run")
        self.trainer._params = PARAMS.model_copy(update={"steps": steps})
        with resume.lock():
            progress = resume.restore(self.trainer.state)
            batches = training_batches(
                [self.shard],
                size=(64, 64),
                batch_size=2,
                max_boxes=4,
                augment=Augment(0.5, 0.5, 0.5),
                seed=1,
                start_step=progress.step,
            )
            self.trainer.run(batches, resume, progress, lambda row: None, lambda: {"mAP": 0.5, "AP50": 0.5})
        return progress


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def uninterrupted(folder: Path, grey_shard: Path) -> tuple[Run, Progress]:
    run = Run(grey_shard)
    return run, run.train(folder / "whole", 6)


def test_a_resumed_run_ends_with_the_same_bits(
    uninterrupted: tuple[Run, Progress], folder: Path, grey_shard: Path
) -> None:
    expected = snapshot(uninterrupted[0].network, set(uninterrupted[0].network.variables))
    Run(grey_shard).train(folder / "parts", 3)
    second = Run(grey_shard)
    progress = second.train(folder / "parts", 6)
    assert max_abs_change(second.network, expected) == 0.0
    losses = [[row["loss"] for row in p.history if "loss" in row] for p in (uninterrupted[1], progress)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6


def test_every_free_variable_learns_and_no_frozen_one_moves(uninterrupted: tuple[Run, Progress]) -> None:
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
        run.train(folder / "broken", 6)
    assert not list((folder / "broken").rglob("current.json"))
