"""Stage `pack`: the trained detector without its class head as one small file, with a card that says what it is."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from studies.base.params import ScenesParams
from tasks.artifacts.training import read_training_figures
from tasks.detector.network import CLASS_HEAD, component_of
from tasks.detector.restore import checkpoint_values
from tasks.errors import CheckpointError
from tasks.ground.files import replacing, sha256_of, write_json
from tasks.params import Params
from tasks.weights.packed_weights import write_packed
from tasks.weights.shipped_base import NAME

_ORIGIN = "trained on generated scenes, from torchvision's ImageNet weights (studies/base)"
_LICENCE = "Apache-2.0 (this project); BSD-3-Clause (torchvision's ImageNet weights, which training started from)"
# The sections of params.yaml that the weights depend on: those that dvc.yaml tracks for this stage.
_DECIDE = {"validate_", "split", "model", "checkpoint", "train"}
_GENERATOR = Path(__file__).parent / "scenes"


def pack(params: Params, scenes: ScenesParams, *, packed: Path) -> dict[str, Any]:
    """Write the folder `packed`: weights, card, and the card for people.

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
        kept = write_packed(arrays, weights)
        card = {
            "name": NAME,
            "origin": _ORIGIN,
            "licence": _LICENCE,
            "sha256": sha256_of(weights),
            "bytes": weights.stat().st_size,
            "arrays": len(arrays),
            "float32_arrays": kept,
            "parameters": sum(value.size for value in arrays.values()),
            **_made(params, scenes),
        }
        write_json(beside / f"{NAME}.json", card)
        (beside / f"{NAME}.md").write_text(_for_people(card), encoding="utf-8")
    return {key: card[key] for key in ("sha256", "bytes", "arrays", "parameters")}


def _made(params: Params, scenes: ScenesParams) -> dict[str, Any]:
    """How, and what was measured: nothing of it depends on a clock, a machine or git."""
    figures = read_training_figures(params.paths.metrics_train)
    data = json.loads(params.paths.metrics_data.read_text(encoding="utf-8"))
    drawn = scenes.model_dump(exclude={"workers"})
    return {
        "made": {
            "model": params.model.name,
            "generator_sha256": _hash_of_code(),
            "params_sha256": _hash_of([drawn, params.model_dump(mode="json", include=_DECIDE)]),
            "scenes": drawn,
            "boxes": data["boxes"],
            "train": params.train.model_dump(mode="json"),
        },
        "measured": {
            "what": "on generated scenes that training never saw: says little about photographs",
            "best_mAP": figures.best_mAP,
            "best_step": figures.best_step,
            "loss": figures.loss,
        },
    }


def _hash_of_code() -> str:
    lines = [f"{path.name} {sha256_of(path)}" for path in sorted(_GENERATOR.glob("*.py"))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _hash_of(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _for_people(card: dict[str, Any]) -> str:
    made, measured = card["made"], card["measured"]
    drawn, train = made["scenes"], made["train"]
    score = "not measured" if measured["best_mAP"] is None else f"mAP {measured['best_mAP']:.3f}"
    return f"""# {card["name"]}

Backbone, feature pyramid, tower and box head of `{made["model"]}`,
{card["origin"]}.
No photograph but ImageNet's had a part in it, and no box that a person drew. The class head is left out.

- **For** `ssd_mobilenet_v2_fpnlite` at 320 and 640 px: `checkpoint.source: base`.
- **How** {drawn["count"]} scenes of {drawn["side_px"]} px (seed {drawn["seed"]}, {drawn["kinds_per_family"]} kinds
  a family, classes: {drawn["classes"]}) with {made["boxes"]} boxes; {train["steps"]} steps of batch
  {train["batch_size"]}, {train["optimizer"]}, learning rate {train["learning_rate"]:g}, new layers
  {train["new_layer_rate"]:g} times that, frozen: {train["freeze"]}.
- **Measured** {score} after {measured["best_step"]} steps, {measured["what"]}.
- **File** {card["bytes"]} bytes, {card["arrays"]} arrays, {card["parameters"]} parameters, float16 but for
  {len(card["float32_arrays"])} arrays. SHA-256 `{card["sha256"]}`.
- **Generator** SHA-256 `{made["generator_sha256"]}`; **params** `{made["params_sha256"]}`.
- **Licence** {card["licence"]}.
"""


def ship(packed: Path, weights: Path) -> None:
    """Copy what `pack` wrote to where `checkpoint.source: base` looks for it.

    Raises:
        CheckpointError: there is nothing packed.
    """
    files = [packed / f"{NAME}{suffix}" for suffix in (".npz", ".json", ".md")]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise CheckpointError(f"{', '.join(missing)}: not there; run `dvc repro` in studies/base first")
    weights.mkdir(exist_ok=True)
    for path in files:
        shutil.copyfile(path, weights / path.name)
