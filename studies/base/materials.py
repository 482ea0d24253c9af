"""materials.yaml: the packages of cut-outs and backgrounds, typed."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from studies.packages import Package
from studies.reading import read_section
from tasks.params.value_types import Section


class Material(Package):
    """A package of pictures; materials.yaml explains the keys."""

    kind: Literal["emoji", "cutout", "photo", "texture"]
    weight: Annotated[float, Field(gt=0)]


class _File(Section):
    packages: list[Material]


def read_materials(path: Path) -> list[Material]:
    """The packages of a materials.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, _File).packages
