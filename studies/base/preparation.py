"""Stage `materials`: the pictures of packages, checked and scaled once, as cut-outs and backgrounds with an index.

Pictures are input of strangers: they are opened as those of a data set are, and one that fails is counted and left out.
"""

import hashlib
import io
import re
from collections import Counter
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from studies.base.classes import Classes, emoji_name
from studies.base.library import INDEX, PACKAGES, PICTURES, Background, CutOut, Index
from studies.base.materials import Material
from studies.packages import fetch, read_files
from tasks.artifacts.artifact import write_artifact
from tasks.errors import FormatError
from tasks.ground.files import replacing
from tasks.images.image_file import FORMAT_OF_SUFFIX, open_image
from tasks.images.rgb import as_rgb

_MAX_MEGAPIXELS = 40
# A cut-out is shown at 90 % of 320 px at most; a background is a crop of a crop.
_CUT_OUT_SIDE_PX, _PHOTO_SIDE_PX, _TEXTURE_SIDE_PX = 320, 1600, 640
_MIN_CUT_OUT_PX, _MIN_BACKGROUND_PX = (48, 12), 200
# The share of its box that a cut-out fills: above, it is a rectangle; below, it is a line drawing or a scatter of dots.
_MIN_FILL, _MAX_FILL = 0.15, 0.96
_MIN_CUT_OUTS_A_CLASS = 4


def prepare(packages: list[Material], classes: Classes, folder: Path) -> dict[str, object]:
    """Write `folder`/pictures and `folder`/index.json from the packages, which are fetched; figures to print.

    Raises:
        PipelineError: a package is missing, damaged, or another version.
    """
    files = [fetch(package, folder / PACKAGES) for package in packages]
    cut_outs: dict[str, CutOut] = {}
    backgrounds: dict[str, Background] = {}
    left_out: Counter[str] = Counter()
    with replacing(folder / PICTURES, own_folder=True) as beside:
        beside.mkdir()
        for package, file in zip(packages, files, strict=True):
            for name, content in tqdm(read_files(package, file), desc=package.name, unit="picture"):
                try:
                    if package.kind in ("emoji", "cutout"):
                        _add_cut_out(package, name, content, classes, beside, cut_outs)
                    else:
                        _add_background(package, name, content, beside, backgrounds)
                except FormatError as error:
                    left_out[str(error).rpartition(": ")[2][:60]] += 1
    enough = Counter(cut.label for cut in cut_outs.values())
    kept = [cut for cut in cut_outs.values() if enough[cut.label] >= _MIN_CUT_OUTS_A_CLASS]
    write_artifact(folder / INDEX, Index(cut_outs=kept, backgrounds=list(backgrounds.values())))
    return {
        "cut-outs": len(kept),
        "classes": len({cut.label for cut in kept}),
        "backgrounds": len(backgrounds),
        "left out": dict(left_out.most_common()),
    }


def _add_cut_out(
    package: Material, name: str, content: bytes, classes: Classes, folder: Path, found: dict[str, CutOut]
) -> None:
    label = classes.of(emoji_name(name) if package.kind == "emoji" else name.rpartition("/png/")[2] or name)
    if label is None:
        raise FormatError("no class in classes.yaml")
    with _opened(name, content) as image:
        cut = cut_out(image)
    file = _write(cut, package, name, folder, "PNG")
    digest = hashlib.sha256(cut.tobytes()).hexdigest()
    if digest in found:
        (folder / file).unlink()
        raise FormatError("the same as another")
    found[digest] = CutOut(file=file, sha256=_sha256(folder / file), label=label, weight=package.weight)


def cut_out(image: Image.Image) -> Image.Image:
    """The thing alone, as RGBA, no larger than 320 px.

    Raises:
        FormatError: the picture's alpha channel does not show a thing: it is a rectangle, a line drawing, or tiny.
    """
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        raise FormatError("no transparent background")
    rgba = image.convert("RGBA")
    rgba.thumbnail((2 * _CUT_OUT_SIDE_PX, 2 * _CUT_OUT_SIDE_PX), Image.Resampling.BOX)
    solid = rgba.getchannel("A").point(lambda alpha: 255 * (alpha > 127))
    box = solid.getbbox()
    if box is None or max(box[2] - box[0], box[3] - box[1]) < _MIN_CUT_OUT_PX[0]:
        raise FormatError("too small")
    if min(box[2] - box[0], box[3] - box[1]) < _MIN_CUT_OUT_PX[1]:
        raise FormatError("too thin")
    fill = solid.crop(box).histogram()[255] / ((box[2] - box[0]) * (box[3] - box[1]))
    if fill > _MAX_FILL:
        raise FormatError("a rectangle")
    if fill < _MIN_FILL:
        raise FormatError("lines only")
    thing = rgba.crop(box)
    thing.thumbnail((_CUT_OUT_SIDE_PX, _CUT_OUT_SIDE_PX), Image.Resampling.LANCZOS)
    return thing


def _add_background(package: Material, name: str, content: bytes, folder: Path, found: dict[str, Background]) -> None:
    with _opened(name, content) as image:
        if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] < 250:
            raise FormatError("transparent")
        if min(image.size) < _MIN_BACKGROUND_PX:
            raise FormatError("too small")
        side = _PHOTO_SIDE_PX if package.kind == "photo" else _TEXTURE_SIDE_PX
        image.draft("RGB", (side, side))
        picture = as_rgb(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    digest = hashlib.sha256(picture.tobytes()).hexdigest()
    if digest in found:
        raise FormatError("the same as another")
    file = _write(picture, package, name, folder, "JPEG")
    kind = "photo" if package.kind == "photo" else "texture"
    found[digest] = Background(
        file=file, sha256=_sha256(folder / file), kind=kind, width=picture.width, height=picture.height
    )


def _opened(name: str, content: bytes):  # type: ignore[no-untyped-def]
    if Path(name).suffix.lower() not in FORMAT_OF_SUFFIX:
        raise FormatError("not a picture")
    return open_image(Path(name), max_megapixels=_MAX_MEGAPIXELS, content=content)


def _write(picture: Image.Image, package: Material, name: str, folder: Path, kind: str) -> str:
    """The name of the file that `picture` was written to: letters, digits, dashes, whatever the package calls it."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"{package.name} {name}".lower()).strip("-")
    number = hashlib.sha256(f"{package.name} {name}".encode()).hexdigest()[:8]
    file = f"{plain[:32]}-{plain[-48:].lstrip('-')}-{number}.{'png' if kind == 'PNG' else 'jpg'}"
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"quality": 92} if kind == "JPEG" else {"compress_level": 3}))
    (folder / file).write_bytes(buffer.getvalue())
    return file


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
