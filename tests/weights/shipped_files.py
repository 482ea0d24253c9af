"""Small files that stand for those of weights/."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.artifacts.artifact import write_artifact
from tasks.artifacts.weights_card import WeightsCard
from tasks.ground.files import sha256_of
from tasks.weights.packed_weights import write_packed


def write_shipped(folder: Path, name: str, arrays: dict[str, np.ndarray], *, classes: Sequence[str] = ()) -> Path:
    """Write `name`.npz and its card into `folder`; the path of the .npz."""
    weights = folder / f"{name}.npz"
    float32_arrays = write_packed(arrays, weights)
    card = WeightsCard(
        name=name,
        contents="Some arrays",
        origin="made for a test",
        licence="Apache-2.0",
        source_sha256=None,
        sha256=sha256_of(weights),
        bytes=weights.stat().st_size,
        arrays=len(arrays),
        parameters=4,
        float32_arrays=float32_arrays,
        classes=list(classes),
        fits=[],
        how="by hand",
        result="nothing",
        made={},
        measured={},
    )
    write_artifact(folder / f"{name}.json", card)
    return weights
