"""`python -m studies.base.scenes.sheet OUT.png`: scenes with their boxes side by side, or `--kinds`, to look at."""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from studies.base.scenes.compose import draw_scene
from studies.base.scenes.kinds import FAMILIES, kind
from studies.base.scenes.sprite import Light, draw_sprite

_CELL = 80


def scenes_sheet(seed: int, first: int, columns: int, rows: int, *, side: int, boxes: bool) -> Image.Image:
    """Scenes `first` and on of `seed`."""
    sheet = Image.new("RGB", (columns * side, rows * side))
    for i in range(columns * rows):
        scene = draw_scene(seed, first + i, side=side, kinds_per_family=6)
        with Image.open(io.BytesIO(scene.jpeg)) as photo:
            draw = ImageDraw.Draw(photo)
            for box in scene.boxes if boxes else ():
                draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=(255, 40, 40))
            sheet.paste(photo, (i % columns * side, i // columns * side))
    return sheet


def kinds_sheet(columns: int) -> Image.Image:
    """A row for each family: its first kinds."""
    light = Light(np.array([-0.5, -0.5, 0.7], np.float32), 0.45, np.ones(3, np.float32))
    sheet = Image.new("RGB", (columns * _CELL, len(FAMILIES) * _CELL), (190, 190, 190))
    for row, family in enumerate(FAMILIES):
        for column in range(columns):
            sprite = draw_sprite(kind(family, column), np.random.default_rng(column), _CELL - 10, light)
            sheet.paste(sprite.image, (column * _CELL + 4, row * _CELL + 4), sprite.image)
    return sheet


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m studies.base.scenes.sheet")
    parser.add_argument("out", type=Path)
    parser.add_argument("--kinds", action="store_true", help="every family's first kinds instead of scenes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--plain", action="store_true", help="without boxes")
    args = parser.parse_args()
    if args.kinds:
        kinds_sheet(args.columns).save(args.out)
    else:
        scenes_sheet(args.seed, args.first, args.columns, args.rows, side=320, boxes=not args.plain).save(args.out)


if __name__ == "__main__":
    main()
