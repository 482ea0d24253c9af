"""Stage `pack`: the trained detector without its class head as one small file, with a card that says what it is."""

import hashlib
import json
import shutil
from pathlib import Path

from studies.base.generator import generator_sha256
from studies.base.params import DrawnScenes, ScenesParams
from studies.packing import Facts, write_weights
from tasks.artifacts.gate import read_gate_counts
from tasks.artifacts.training import read_training_figures
from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.architectures.ssd import Ssd
from tasks.detector.restore import checkpoint_values
from tasks.errors import CheckpointError
from tasks.ground.files import replacing
from tasks.params import Params
from tasks.weights.shipped import FPNLITE as NAME

_ORIGIN = "trained on cut-outs pasted before photographs (studies/base), from torchvision's ImageNet weights"
_LICENCE = (
    "Apache-2.0 (this project); BSD-3-Clause (torchvision's ImageNet weights, which training started from); "
    "studies/base/README.md has the licences of the pictures that it learned from"
)
_MEASURED_ON = "on scenes that training never saw: says little about photographs"
# The sections of params.yaml that the weights depend on: those that dvc.yaml tracks for this stage.
_DECIDE = {"validate_", "split", "model", "checkpoint", "train"}


def pack(params: Params, scenes: ScenesParams, *, materials: Path, packed: Path) -> dict[str, object]:
    """Write the folder `packed`: weights, card, and the card for people; figures to print.

    Raises:
        CheckpointError: the trained checkpoint is missing, damaged, or not of the model that the base is for.
        PipelineError: the folder `materials` that the scenes were drawn from is missing.
    """
    prefix = params.paths.trained / "best" / "ckpt-0"
    values = checkpoint_values(prefix)
    arrays = {key: value for key, value in values.items() if Ssd.component_of(key) != CLASS_HEAD}
    if len(arrays) == len(values):
        raise CheckpointError(f"{prefix}: no class head in it; is it what the train stage of this study wrote?")
    with replacing(packed) as beside:
        beside.mkdir()
        card = write_weights(arrays, _facts(params, scenes, generator_sha256(materials)), beside, NAME)
    return {"sha256": card.sha256, "bytes": card.bytes, "arrays": card.arrays, "parameters": card.parameters}


def _facts(params: Params, scenes: ScenesParams, generator: str) -> Facts:
    """What the card says; nothing of it depends on a clock, a machine or git."""
    drawn = DrawnScenes(**scenes.model_dump(exclude={"workers"}))
    boxes = read_gate_counts(params.paths.metrics_data).boxes
    train, figures = params.train, read_training_figures(params.paths.metrics_train)
    score = "no mAP" if figures.best_mAP is None else f"mAP {figures.best_mAP:.3f}"
    return Facts(
        contents=f"Backbone, feature pyramid, tower and box head of `{params.model.name}`; the class head is left out",
        origin=_ORIGIN,
        licence=_LICENCE,
        how=f"{drawn.count} scenes of {drawn.side_px} px (seed {drawn.seed}, {drawn.photo_share:.0%} "
        f"before photographs) with {boxes} boxes; {train.steps} steps of batch {train.batch_size}, "
        f"{train.optimizer}, learning rate {train.learning_rate:g}, new layers {train.new_layer_rate:g} times that, "
        f"frozen: {train.freeze}; no box that a person drew",
        result=f"{score} after {figures.best_step} steps, {_MEASURED_ON}",
        made={
            "model": params.model.name,
            "generator_sha256": generator,
            "params_sha256": _hash_of([drawn.model_dump(), params.model_dump(mode="json", include=_DECIDE)]),
            "scenes": drawn.model_dump(mode="json"),
            "boxes": boxes,
            "train": train.model_dump(mode="json"),
        },
        measured={
            "what": _MEASURED_ON,
            "best_mAP": figures.best_mAP,
            "best_step": figures.best_step,
            "loss": figures.loss,
        },
    )


def _hash_of(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def ship(packed: Path, weights: Path) -> None:
    """Copy what `pack` wrote to where `checkpoint.source: base` looks for it.

    Raises:
        CheckpointError: there is nothing packed.
    """
    files = [packed / f"{NAME}{suffix}" for suffix in (".npz", ".json", ".md")]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise CheckpointError(f"missing: {', '.join(missing)}; run `dvc repro` in studies/base first")
    weights.mkdir(exist_ok=True)
    for path in files:
        shutil.copyfile(path, weights / path.name)
