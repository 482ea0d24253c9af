"""A file of weights/ with its card, as every study writes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from tasks.artifacts.artifact import write_artifact
from tasks.artifacts.weights_card import WeightsCard
from tasks.ground.files import sha256_of
from tasks.weights.packed_weights import write_packed
from tasks.weights.shipped import models_of


@dataclass(frozen=True)
class Facts:
    """What a card says that the file itself does not: see `WeightsCard`."""

    contents: str
    origin: str
    licence: str
    how: str
    result: str
    made: Mapping[str, JsonValue]
    measured: Mapping[str, JsonValue]
    source_sha256: str | None = None
    classes: Sequence[str] = ()


def write_weights(
    arrays: Mapping[str, npt.NDArray[np.floating[Any]]],
    facts: Facts,
    folder: Path,
    name: str,
    *,
    float32: Collection[str] = (),
) -> WeightsCard:
    """Write `name`.npz, `name`.json and `name`.md into `folder`; the card. Arrays named in `float32` stay so.

    Raises:
        CheckpointError: a value is not finite.
    """
    weights = folder / f"{name}.npz"
    float32_arrays = write_packed(arrays, weights, float32=float32)
    card = WeightsCard(
        name=name,
        contents=facts.contents,
        origin=facts.origin,
        licence=facts.licence,
        source_sha256=facts.source_sha256,
        sha256=sha256_of(weights),
        bytes=weights.stat().st_size,
        arrays=len(arrays),
        parameters=sum(value.size for value in arrays.values()),
        float32_arrays=float32_arrays,
        classes=list(facts.classes),
        fits=models_of(name),
        how=facts.how,
        result=facts.result,
        made=dict(facts.made),
        measured=dict(facts.measured),
    )
    write_artifact(folder / f"{name}.json", card)
    (folder / f"{name}.md").write_text(card.markdown(), encoding="utf-8")
    return card
