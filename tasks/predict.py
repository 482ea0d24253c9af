"""`python -m tasks predict`: what the exported detector sees in a person's images, drawn and listed.

Pictures are turned upright as their EXIF orientation says before the detector sees them, and boxes are in the pixels
of the upright picture.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from tasks.annotation.boxes import area, to_xywh
from tasks.annotation.detections import Detections, Detector
from tasks.drawing import draw_detections
from tasks.errors import CheckpointError, DataError, FormatError, PipelineError
from tasks.files import replacing, write_json
from tasks.formats.image_file import FORMAT_OF_SUFFIX, open_image
from tasks.formats.rgb import as_rgb
from tasks.text import printable

_MOST_NAMED = 20
# A file that claims more pixels than any camera gives is an attack on memory.
_MAX_MEGAPIXELS = 250


@dataclass
class Prediction:
    """What came of a run.

    Attributes:
        drawn: the pictures written, in the order of the images.
        boxes: how many boxes were drawn.
        seconds: reading, detecting, drawing and writing.
        unreadable: `path: reason` of each image that could not be opened.
    """

    drawn: list[Path] = field(default_factory=list)
    boxes: int = 0
    seconds: float = 0.0
    unreadable: list[str] = field(default_factory=list)


def predict(args: argparse.Namespace) -> None:
    """Run the exported detector over `args.inputs` (files and folders) and write pictures and detections.json.

    Raises:
        PipelineError: an option is out of range, an input or the model is missing, `args.out` would mix results with
            inputs, or an image could not be read (said after the others are done).
    """
    _check_options(args)
    paths = find_images(args.inputs, args.out)
    if not args.model.is_dir():
        raise CheckpointError(f"{args.model}: no exported model here; run `make run` first, or say --model FOLDER")
    from tasks.detector.exported import load_saved_model  # noqa: PLC0415 - imports TensorFlow: after the cheap checks

    detector = load_saved_model(args.model)
    announce(predict_images(paths, detector, args.out, args.score_threshold, args.batch_size), args.out)


def announce(done: Prediction, out: Path) -> None:
    """Print what was done and where it is.

    Raises:
        DataError: images could not be read.
    """
    rate = len(done.drawn) / done.seconds if done.seconds else 0.0
    print(f"{len(done.drawn)} images, {done.boxes} boxes, {rate:.1f} images/s")
    print(f"{out}: {len(done.drawn)} pictures and detections.json")
    if done.unreadable:
        raise DataError(_complaint(done, out))


def find_images(inputs: Sequence[Path], out: Path) -> list[Path]:
    """The image files among `inputs` and below its folders, each once, folders in sorted order.

    A file named on its own is taken whatever its suffix; in folders the suffix decides, in either case.

    Raises:
        DataError: an input does not exist, nothing was found, or `out` and an input lie in each other, so that drawn
            pictures would overwrite images or be read as images the next time.
    """
    found: dict[Path, Path] = {}
    for entry in inputs:
        if not entry.exists():
            raise DataError(f"{entry}: no such file or folder; name images, or folders with images")
        if out.resolve().is_relative_to(entry.resolve()) or entry.resolve().is_relative_to(out.resolve()):
            raise DataError(
                f"--out {out} and the input {entry} lie in each other; choose a folder beside it with --out"
            )
        for path in _images_below(entry) if entry.is_dir() else [entry]:
            found.setdefault(path.resolve(), path)
    if not found:
        raise DataError(
            f"{', '.join(map(str, inputs))}: no images found; "
            f"looked for files ending in {', '.join(sorted(FORMAT_OF_SUFFIX))}"
        )
    return list(found.values())


def _images_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMAT_OF_SUFFIX and path.is_file())


def predict_images(
    paths: Sequence[Path], detector: Detector, out: Path, score_threshold: float, batch_size: int
) -> Prediction:
    """Detect in every image of `paths`; write `out`/NAME.jpg for each and `out`/detections.json for all.

    detections.json is COCO JSON with a score at each annotation; it holds what is drawn: scores of at least
    `score_threshold`. Images that cannot be read are listed in its `info.unreadable` and in what is returned.
    """
    start = time.monotonic()
    done = Prediction()
    category_ids = {name: number for number, name in enumerate(detector.classes, start=1)}
    content: dict[str, Any] = {
        "info": {"score_threshold": score_threshold, "unreadable": done.unreadable},
        "images": [],
        "annotations": [],
        "categories": [{"id": number, "name": name} for name, number in category_ids.items()],
    }
    names = _unique_names(paths)
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool, tqdm(total=len(paths), desc="predict", unit="image") as progress:
        for batch in _batches(paths, batch_size, pool):
            readable = [(path, loaded) for path, loaded in batch if isinstance(loaded, Image.Image)]
            done.unreadable.extend(f"{path}: {loaded}" for path, loaded in batch if isinstance(loaded, str))
            images = [image for _, image in readable]
            found = detector.detect([np.asarray(image) for image in images]) if images else []
            shown = [detections.above(score_threshold) for detections in found]
            targets = [out / names[path] for path, _ in readable]
            list(pool.map(_save, images, shown, targets, [detector.classes] * len(images)))
            for (path, image), detections, target in zip(readable, shown, targets, strict=True):
                _append(content, path, _writable(target.name), image, detections, category_ids)
                done.boxes += len(detections.classes)
            done.drawn.extend(targets)
            progress.update(len(batch))
    write_json(out / "detections.json", content)
    done.seconds = time.monotonic() - start
    return done


def _append(
    content: dict[str, Any],
    path: Path,
    drawn: str,
    image: Image.Image,
    detections: Detections,
    category_ids: dict[str, int],
) -> None:
    image_id = len(content["images"]) + 1
    file_name = _writable(path.as_posix())
    content["images"].append(
        {"id": image_id, "file_name": file_name, "drawn": drawn, "width": image.width, "height": image.height}
    )
    boxes_xywh, areas = to_xywh(detections.boxes), area(detections.boxes)
    for i, name in enumerate(detections.classes):
        content["annotations"].append(
            {
                "id": len(content["annotations"]) + 1,
                "image_id": image_id,
                "category_id": category_ids[name],
                "bbox": boxes_xywh[i].tolist(),
                "score": float(detections.scores[i]),
                "area": float(areas[i]),
                "iscrowd": 0,
            }
        )


def _batches(
    paths: Sequence[Path], batch_size: int, pool: ThreadPoolExecutor
) -> Iterator[list[tuple[Path, Image.Image | str]]]:
    """Images in batches, the next one being read while the caller works on this one."""
    parts = [paths[i : i + batch_size] for i in range(0, len(paths), batch_size)]
    reading = pool.map(_read, parts[0]) if parts else iter(())
    for i, part in enumerate(parts):
        batch = list(zip(part, reading, strict=True))
        reading = pool.map(_read, parts[i + 1]) if i + 1 < len(parts) else iter(())
        yield batch


def _read(path: Path) -> Image.Image | str:
    """The image upright in RGB, or why it cannot be read."""
    try:
        with open_image(path, max_megapixels=_MAX_MEGAPIXELS) as image:
            return as_rgb(ImageOps.exif_transpose(image))
    except FormatError as error:
        return _writable(str(error).removeprefix(f"{path}: "))


def _save(image: Image.Image, detections: Detections, target: Path, classes: Sequence[str]) -> None:
    with replacing(target) as beside:
        draw_detections(image, detections, classes).save(beside, format="JPEG", quality=90)


def _unique_names(paths: Sequence[Path]) -> dict[Path, str]:
    """A .jpg name for each path; the second `cat` becomes `cat-2`, whatever its folder, suffix or case."""
    taken: set[str] = set()
    names: dict[Path, str] = {}
    for path in paths:
        name, number = path.stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{path.stem}-{number}"
        taken.add(name.lower())
        names[path] = f"{name}.jpg"
    return names


def _writable(text: str) -> str:
    """`text` as UTF-8 can hold it: names of files may hold bytes that are no text."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _check_options(args: argparse.Namespace) -> None:
    if not 0.0 <= args.score_threshold <= 1.0:
        raise PipelineError(f"--score-threshold {args.score_threshold:g}: a score is a number from 0 to 1")
    if args.batch_size < 1:
        raise PipelineError(f"--batch-size {args.batch_size}: at least 1 image at a time")


def _complaint(done: Prediction, out: Path) -> str:
    named = [f"  {printable(line)}" for line in done.unreadable[:_MOST_NAMED]]
    if len(done.unreadable) > _MOST_NAMED:
        named.append(f"  and {len(done.unreadable) - _MOST_NAMED} more, in {out / 'detections.json'}")
    total = len(done.drawn) + len(done.unreadable)
    head = f"{len(done.unreadable)} of {total} images could not be read; the other {len(done.drawn)} are in {out}."
    return "\n".join([f"{head} Mend, convert or remove:", *named])
