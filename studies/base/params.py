"""scenes.yaml, typed, as tasks/params/__init__.py has params.yaml."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from studies.reading import read_section
from tasks.params.value_types import Fraction, Positive, Section, Seed


class DrawnScenes(Section):
    """What is drawn: everything that the images and boxes depend on, beside the materials."""

    seed: Seed
    count: Positive
    side_px: Annotated[int, Field(ge=64)]
    photo_share: Fraction


class ScenesParams(DrawnScenes):
    """The section `scenes`. The number of workers changes no byte: DVC does not track it."""

    workers: Positive | None


def read_scenes_params(path: Path) -> ScenesParams:
    """The section `scenes` of a scenes.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, ScenesParams, "scenes")
