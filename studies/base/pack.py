"""Stage `pack`: the trained detector without its class head as one small file, with a card that says what it is."""

import hashlib
import json
import shutil
from pathlib import Path

from studies.base.card import Card, Making, Measurement
from studies.base.params import DrawnScenes, ScenesParams
from tasks.artifacts.artifact import write_artifact
from tasks.artifacts.gate import read_gate_counts
from tasks.artifacts.training import read_training_figures
from tasks.detector.network import CLASS_HEAD, component_of
from tasks.detector.restore import checkpoint_values
from tasks.errors import CheckpointError
from tasks.ground.files import replacing, sha256_of
from tasks.params import Params
from tasks.weights.packed_weights import write_packed
from tasks.weights.shipped_base import NAME

_ORIGIN = "trained on generated scenes, from torchvision's ImageNet weights (studies/base)"
_LICENCE = "Apache-2.0 (this project); BSD-3-Clause (torchvision's ImageNet weights, which training started from)"
# The sections of params.yaml that the weights depend on: those that dvc.yaml tracks for this stage.
_DECIDE = {"validate_", "split", "model", "checkpoint", "train"}
_GENERATOR = Path(__file__).parent / "scenes"


def pack(params: Params, scenes: ScenesParams, *, packed: Path) -> dict[str, object]:
    """Write the folder `packed`: weights, card, and the card for people; figures to print.

    Raises:
        CheckpointError: the trained checkpoint is missing, damaged, or not of the model that the base is for.
    """
    prefix = params.paths.trained / "best" / "ckpt-0"
    values = checkpoint_values(prefix)
    arrays = {key: value for key, value in values.items() if component_of(key) != CLASS_HEAD}
    if len(arrays) == len(values):
        raise CheckpointError(f"{prefix}: no class head in it; is it what the train stage of this study wrote?")
    with replacing(packed) as beside:
        beside.mkdir()
        weights = beside / f"{NAME}.npz"
        float32_arrays = write_packed(arrays, weights)
        card = Card(
            name=NAME,
            origin=_ORIGIN,
            licence=_LICENCE,
            sha256=sha256_of(weights),
            bytes=weights.stat().st_size,
            arrays=len(arrays),
            float32_arrays=float32_arrays,
            parameters=sum(value.size for value in arrays.values()),
            made=_making(params, scenes),
            measured=_measurement(params),
        )
        write_artifact(beside / f"{NAME}.json", card)
        (beside / f"{NAME}.md").write_text(card.markdown(), encoding="utf-8")
    return {"sha256": card.sha256, "bytes": card.bytes, "arrays": card.arrays, "parameters": card.parameters}


def _making(params: Params, scenes: ScenesParams) -> Making:
    drawn = DrawnScenes(**scenes.model_dump(exclude={"workers"}))
    return Making(
        model=params.model.name,
        generator_sha256=_hash_of_code(),
        params_sha256=_hash_of([drawn.model_dump(), params.model_dump(mode="json", include=_DECIDE)]),
        scenes=drawn,
        boxes=read_gate_counts(params.paths.metrics_data).boxes,
        train=params.train,
    )


def _measurement(params: Params) -> Measurement:
    figures = read_training_figures(params.paths.metrics_train)
    return Measurement(
        what="on generated scenes that training never saw: says little about photographs",
        best_mAP=figures.best_mAP,
        best_step=figures.best_step,
        loss=figures.loss,
    )


def _hash_of_code() -> str:
    lines = [f"{path.name} {sha256_of(path)}" for path in sorted(_GENERATOR.glob("*.py"))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


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
