"""The prepared cut-outs and backgrounds: what the compositor draws with."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact
from tasks.errors import PipelineError

INDEX, FINDINGS, PACKAGES, PICTURES = "index.json", "findings.json", "packages", "pictures"
# More cut-outs than this do not make a class appear more often: there are 2,000 emoji of people.
_MANY = 64
_FileName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
_REMEDY = "run `python -m studies.base materials`"


class CutOut(Artifact):
    """A thing before a transparent background; `weight`: how often it is taken, beside others of its class."""

    file: _FileName
    sha256: str
    label: str
    weight: float


class Background(Artifact):
    """A photograph, or the photograph of a surface."""

    file: _FileName
    sha256: str
    kind: Literal["photo", "texture"]
    width: int
    height: int


class Index(Artifact):
    """What there is to draw with."""

    cut_outs: list[CutOut]
    backgrounds: list[Background]


class Finding(Artifact):
    """A thing that a detector found in a background: its box in the background's pixels, its class there, its score."""

    label: str
    box: tuple[float, float, float, float]
    score: float


class Findings(Artifact):
    """Findings by the file's name of the background."""

    findings: dict[str, list[Finding]]


class Library:
    """Cut-outs and backgrounds of one folder, read when asked for.

    Attributes:
        names: the classes, sorted.
        findings: for each background by its file's name; empty where no detector has looked.
    """

    def __init__(self, folder: Path) -> None:
        index = read_artifact(folder / INDEX, Index, "materials")
        self.folder = folder
        self.photos = [background for background in index.backgrounds if background.kind == "photo"]
        self.textures = [background for background in index.backgrounds if background.kind == "texture"]
        self.cut_outs = index.cut_outs
        if not (self.photos and self.textures and self.cut_outs):
            raise PipelineError(
                f"{folder / INDEX}: photos, textures and cut-outs are needed, and one is missing; {_REMEDY}"
            )
        self.names = tuple(sorted({cut.label for cut in index.cut_outs}))
        self.of_label = {
            name: [number for number, cut in enumerate(self.cut_outs) if cut.label == name] for name in self.names
        }
        self.findings = _read_findings(folder / FINDINGS)

    def any_cut_out(self, rng: np.random.Generator) -> int:
        """The number of a cut-out: of every class now and then, of classes with many the oftener."""
        shares = np.sqrt([min(len(self.of_label[name]), _MANY) for name in self.names])
        numbers = self.of_label[self.names[int(rng.choice(len(self.names), p=shares / shares.sum()))]]
        weights = np.array([self.cut_outs[number].weight for number in numbers])
        return int(rng.choice(numbers, p=weights / weights.sum()))

    def cut_out(self, number: int) -> Image.Image:
        """The thing as RGBA; not to be written to."""
        return _read_cut_out(self.folder / PICTURES / self.cut_outs[number].file)

    def background(self, background: Background) -> Image.Image:
        """The picture as RGB; not to be written to."""
        return _read_background(self.folder / PICTURES / background.file)

    def grain(self, rng: np.random.Generator, side: int) -> npt.NDArray[np.float32]:
        """`(side, side)` float32 with mean 1: the lights and darks of some surface."""
        picture = self.background(self.textures[int(rng.integers(len(self.textures)))])
        zoom = int(min(picture.size) * rng.uniform(0.3, 1))
        left, top = int(rng.integers(picture.width - zoom + 1)), int(rng.integers(picture.height - zoom + 1))
        crop = picture.resize((side, side), Image.Resampling.BILINEAR, (left, top, left + zoom, top + zoom), 2.0)
        grey = np.asarray(crop.convert("L"), dtype=np.float32)
        return np.asarray(grey / max(float(grey.mean()), 8.0), dtype=np.float32)


def _read_findings(path: Path) -> dict[str, list[Finding]]:
    return read_artifact(path, Findings, "findings").findings if path.is_file() else {}


# As many as a process may hold in some 300 MB.
@lru_cache(maxsize=600)
def _read_cut_out(path: Path) -> Image.Image:
    return _open(path, "RGBA")


@lru_cache(maxsize=80)
def _read_background(path: Path) -> Image.Image:
    return _open(path, "RGB")


def _open(path: Path, mode: str) -> Image.Image:
    try:
        with Image.open(path, formats=["PNG", "JPEG"]) as image:
            return image.convert(mode)
    except OSError as error:
        raise PipelineError(f"{path} is missing or damaged; {_REMEDY}") from error
