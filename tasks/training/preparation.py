"""What a training run starts with: the network with its first values, what of it is frozen, its batches and trainer."""

import gc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasks.detector.initialise import initialise
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.detector.restore import RestoreResult, restore
from tasks.errors import TrainingError
from tasks.model.schedule import Phase
from tasks.training.batchnorm import hold_still, let_go, set_decay
from tasks.training.feeding import Feed, choose_feed
from tasks.training.freeze import audit, auto_freeze, frozen_keys, snapshot, trainable
from tasks.training.loop import Trainer
from tasks.training.optimizing import TwoRates
from tasks.training.replicas import Copies, Replicas
from tasks.training.summary import print_auto_freeze, print_frozen, print_restored

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class PreparedRun:
    """All that is the same before and after a resume, in one phase.

    Attributes:
        copies: the network, and its copies on several replicas.
        restored: which variables the base filled.
        phase: which steps these are.
        frozen: the keys of the frozen variables.
        held: the BatchNorm layers that were put into inference mode for it.
        initial_values: of every variable, before the phase's first step.
        feed: what the batches hold.
        trainer: ready for the first step.
    """

    copies: Copies
    restored: RestoreResult
    phase: Phase
    frozen: set[str]
    held: list[Any]
    initial_values: dict[str, npt.NDArray[np.float32]]
    feed: Feed
    trainer: Trainer

    @property
    def network(self) -> Network:
        """The network that is restored into, validated and saved."""
        return self.copies.plain


def prepare_run(
    phase: Phase,
    pipeline_config: Path,
    base: Path,
    classes: tuple[str, ...],
    images: int,
    replicas: Replicas,
    *,
    trainings: int = 1,
) -> PreparedRun:
    """Build the network, fill it from `base`, freeze it as `train.freeze` says, and choose what feeds it.

    `phase` is the first; `images` is the number of training images, which serve so many `trainings`. What is restored,
    frozen and fed is printed.

    Raises:
        CheckpointError: the base is damaged, or fills nothing of the backbone.
        ParamsError: `train.freeze` does not fit the network.
        TrainingError: nothing is left to train, or there are several devices and the model takes one.
    """
    copies = _build(pipeline_config, replicas)
    network = copies.plain
    # All of it, and then the base over it: of a class head, it may fill some rows only.
    initialise(network, network.variables, phase.params.seed)
    for copy in {id(each): each for each in (copies.plain, copies.trained)}.values():
        set_decay(copy, phase.params.batchnorm_decay)
    restored = restore(network, base, classes)
    print_restored(restored)
    return _prepare_phase(phase, copies, restored, images, replicas, trainings=trainings)


def prepare_next_phase(before: PreparedRun, phase: Phase, images: int, replicas: Replicas) -> PreparedRun:
    """The `phase` after `before`, from the weights that the plain network has; printed as `prepare_run` does.

    Raises:
        ParamsError: its `freeze` does not fit the network.
        TrainingError: nothing is left to train.
    """
    print(f"train: second phase, from step {phase.first + 1} to {phase.last}")
    let_go(before.held)
    gc.collect()  # photos kept for the mosaics of the phase before, and its graph: see `collect_garbage_seldom`
    return _prepare_phase(phase, before.copies, before.restored, images, replicas, earlier=before.trainer)


def with_steps(run: PreparedRun, steps: int, replicas: Replicas) -> PreparedRun:
    """The same run of another length: with a trainer whose learning rate falls to 0 at the last of `steps`."""
    params = run.phase.params.model_copy(update={"steps": steps, "eval_every": steps})
    phase = Phase(1, params, 0, is_last=True)
    with replicas.strategy.scope():
        optimizer = _optimizer(run.copies.trained, run.restored, run.frozen, params)
    trainer = Trainer(run.copies, replicas, optimizer, params, frozen=run.frozen, trunk=run.feed.trunk, phase=phase)
    return replace(run, phase=phase, trainer=trainer)


def frozen_in(phase: Phase, network: Network, restored: RestoreResult) -> set[str]:
    """The keys of the variables that `phase` freezes.

    Raises:
        ParamsError: its `freeze` does not fit the network.
        TrainingError: nothing is left to train.
    """
    freeze, key = phase.params.freeze, f"{phase.section}.freeze"
    frozen = frozen_keys(network, auto_freeze(network, restored.keys) if freeze == "auto" else freeze, key)
    if not trainable(network, frozen):
        raise TrainingError(f"{key} {freeze} leaves nothing to train; freeze less")
    return frozen


def _prepare_phase(
    phase: Phase,
    copies: Copies,
    restored: RestoreResult,
    images: int,
    replicas: Replicas,
    *,
    earlier: Trainer | None = None,
    trainings: int = 1,
) -> PreparedRun:
    params, network = phase.params, copies.plain
    frozen = frozen_in(phase, network, restored)
    if params.freeze == "auto":
        print_auto_freeze(auto_freeze(network, restored.keys), f"{phase.section}.freeze")
    held = hold_still(copies.trained, frozen)
    initial_values = snapshot(network, network.variables)
    print_frozen(audit(network, frozen, initial_values))
    feed = choose_feed(network, frozen, params, images, replicas, trainings)
    print(f"train: batches hold {feed.reason}")
    copies.spread()
    with replicas.strategy.scope():
        optimizer = _optimizer(copies.trained, restored, frozen, params)
    trainer = Trainer(
        copies, replicas, optimizer, params, frozen=frozen, trunk=feed.trunk, phase=phase, earlier=earlier
    )
    return PreparedRun(copies, restored, phase, frozen, held, initial_values, feed, trainer)


def _build(pipeline_config: Path, replicas: Replicas) -> Copies:
    config = read_pipeline_config(pipeline_config)
    plain = build_network(config, is_training=True)
    if replicas.count == 1:
        return Copies(plain, plain)
    if plain.architecture.predicts_with_groundtruth:
        # Replicas share one model, and predict in turns.
        raise TrainingError(
            f"{pipeline_config}: a model of two stages trains on one device here, and there are {replicas.count}; let "
            "TensorFlow see one GPU (CUDA_VISIBLE_DEVICES=0), and start no further worker"
        )
    with replicas.strategy.scope():
        return Copies(plain, build_network(config, is_training=True, synchronised=True))


def _optimizer(network: Network, restored: RestoreResult, frozen: set[str], params: "TrainParams") -> TwoRates:
    variables = trainable(network, frozen)
    return TwoRates(
        params,
        [variable for key, variable in variables.items() if key in restored.keys],
        [variable for key, variable in variables.items() if key not in restored.keys],
    )
