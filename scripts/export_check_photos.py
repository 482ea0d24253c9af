"""Photos for `make export-check`: the first of the test split, or those of a folder, at the size of the model's input.

Each runtime scales photos in its own way; what is compared is what the models make of the same pixels.

Usage: PYTHONPATH=. python scripts/export_check_photos.py MODEL TARGET COUNT [FOLDER]
"""

import re
import sys
from pathlib import Path

from PIL import Image

from tasks.dataset.split_files import read_coco_split, split_file
from tasks.errors import PipelineError
from tasks.ground.text import shortened
from tasks.images.image_file import read_rgb
from tasks.model.geometry import read_model_geometry
from tasks.params import read_params
from tasks.prediction.inputs import find_inputs, is_video


def main(model: Path, target: Path, count: int, folder: Path | None) -> None:
    """Write up to `count` photos as PNG files, so that every reader decodes the same pixels."""
    paths = [
        path for path in (_test_photos() if folder is None else find_inputs([folder], target)) if not is_video(path)
    ]
    if not paths:
        raise PipelineError("there are no photos to compare on: make export-check PHOTOS=folder")
    size = read_model_geometry(model / "pipeline.config").resizer
    for number, path in enumerate(paths[:count]):
        Image.fromarray(read_rgb(path)).resize((size.width, size.height)).save(target / f"{number:04}.png")
    print(f"export-check: {min(count, len(paths))} photos")


def photo_count(text: str) -> int:
    """How many photos COUNT asks for.

    Raises:
        PipelineError: it is no whole number from 1 on.
    """
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise PipelineError(
            f"COUNT={shortened(text)}: not a number of photos; give a whole number from 1 on, such as COUNT=50"
        )
    return int(text)


def _test_photos() -> list[Path]:
    splits = read_params(Path("params.yaml")).paths.splits
    if not split_file(splits, "test").is_file():
        raise PipelineError(f"{splits}: no test photos; run `make run`, or name some: make export-check PHOTOS=folder")
    test = read_coco_split(splits, "test")
    return [test.image_path(image) for image in test.images]


if __name__ == "__main__":
    try:
        folder = Path(sys.argv[4]) if len(sys.argv) > 4 else None
        main(Path(sys.argv[1]), Path(sys.argv[2]), photo_count(sys.argv[3]), folder)
    except PipelineError as error:
        sys.exit(f"export-check: {error}")
