"""`python -m studies.base sheet`: scenes with their boxes side by side, to look at."""

import io
from pathlib import Path

from PIL import Image, ImageDraw

from studies.base.library import Library
from studies.base.params import ScenesParams
from studies.base.scenes.compose import draw_scene

_COLUMNS, _ROWS = 6, 4


def write_sheet(params: ScenesParams, first: int, *, materials: Path, out: Path) -> dict[str, object]:
    """Write scenes `first` and on as one picture."""
    library, side = Library(materials), params.side_px
    sheet = Image.new("RGB", (_COLUMNS * side, _ROWS * side))
    for i in range(_COLUMNS * _ROWS):
        scene = draw_scene(library, params.seed, first + i, side=side, photo_share=params.photo_share)
        with Image.open(io.BytesIO(scene.jpeg)) as photo:
            draw = ImageDraw.Draw(photo)
            for box, label in zip(scene.boxes, scene.labels, strict=True):
                draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=(255, 40, 40))
                if box[2] - box[0] > 40:
                    draw.text((box[0] + 2, box[1] + 1), label, fill=(255, 255, 0))
            sheet.paste(photo, (i % _COLUMNS * side, i // _COLUMNS * side))
    sheet.save(out)
    return {"scenes": _COLUMNS * _ROWS, "file": out}
