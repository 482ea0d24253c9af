"""Cut-outs, backgrounds and packages made for tests: no network, no picture of anybody's."""

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from studies.base.library import INDEX, PICTURES, Background, CutOut, Finding, Findings, Index
from studies.base.materials import Material
from tasks.artifacts.artifact import write_artifact
from tasks.ground.files import sha256_of

LABELS = ("ball", "house", "star")


def thing(label: str, side: int = 96) -> Image.Image:
    """A disc, a triangle or a cross before a transparent background."""
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    if label == "ball":
        draw.ellipse((4, 4, side - 5, side - 5), fill=(200, 40, 40, 255))
    elif label == "house":
        draw.polygon([(side // 2, 4), (side - 5, side - 5), (4, side - 5)], fill=(40, 90, 200, 255))
    else:
        draw.rectangle((side // 3, 4, 2 * side // 3, side - 5), fill=(230, 200, 40, 255))
        draw.rectangle((4, side // 3, side - 5, 2 * side // 3), fill=(230, 200, 40, 255))
    return image


def surface(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Smooth colours with noise."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    return Image.fromarray(np.clip(pixels + rng.integers(-12, 12, pixels.shape), 0, 255).astype(np.uint8))


def write_library(folder: Path, *, findings: dict[str, list[Finding]] | None = None) -> Path:
    """A library of three cut-outs, two photographs and two textures in `folder`."""
    pictures = folder / PICTURES
    pictures.mkdir(parents=True)
    cut_outs, backgrounds = [], []
    for label in LABELS:
        thing(label).save(pictures / f"{label}.png")
        cut_outs.append(CutOut(file=f"{label}.png", sha256="0", label=label, weight=1.0))
    for number, kind in enumerate(("photo", "photo", "texture", "texture")):
        file = f"{kind}-{number}.jpg"
        surface(number).save(pictures / file)
        backgrounds.append(Background(file=file, sha256="0", kind=kind, width=320, height=240))
    write_artifact(folder / INDEX, Index(cut_outs=cut_outs, backgrounds=backgrounds))
    if findings is not None:
        write_artifact(folder / "findings.json", Findings(findings=findings))
    return folder


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write_package(folder: Path, files: dict[str, bytes], *, kind: str = "cutout", name: str = "things") -> Material:
    """A package as npm packs it, in `folder`/packages, and what materials.yaml would say of it."""
    (folder / "packages").mkdir(parents=True, exist_ok=True)
    file = folder / "packages" / f"{name}-1.0.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Material.model_validate(
        {
            "name": name, "version": "1.0", "registry": "npm", "file": file.name, "sha256": sha256_of(file),
            "kind": kind, "weight": 1.0, "paths": ["*"], "without": ["*_bw*"],
        }
    )  # fmt: skip
