"""`python -m tasks predict`: what the exported detector sees in a person's pictures, drawn and listed.

Pictures are turned upright, as their EXIF orientation or their video says, before the detector sees them.
"""

import argparse
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from tasks.dataset.detections import Detections, Detector
from tasks.errors import CheckpointError, DataError, FormatError, PipelineError
from tasks.ground.text import printable, tell
from tasks.images.drawing import draw_detections
from tasks.prediction.inputs import (
    Picture,
    Unreadable,
    count_pictures,
    find_inputs,
    read_pictures,
    unique_name,
)
from tasks.prediction.threshold import score_threshold
from tasks.prediction.writers import (
    KINDS,
    CsvWriter,
    GifWriter,
    JsonWriter,
    PictureWriter,
    Prediction,
    VocWriter,
    Writer,
)

_MOST_NAMED = 20


@dataclass(frozen=True)
class Unwritten:
    """A picture that one of the kinds of files cannot hold, and why."""

    name: str
    reason: str


@dataclass
class Done:
    """What came of a run.

    Attributes:
        pictures: how many were predicted on.
        boxes: how many boxes are in them.
        seconds: reading, detecting, drawing and writing.
        unreadable: what could not be read.
        unwritten: what was predicted on, and is missing in one of the kinds of files, and why.
        written: what each writer says it wrote.
        older: files that were in the folder before, and that this run did not write.
    """

    pictures: int = 0
    boxes: int = 0
    seconds: float = 0.0
    unreadable: list[Unreadable] = field(default_factory=list)
    unwritten: list[Unwritten] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    older: int = 0


def predict(args: argparse.Namespace) -> None:
    """Run the exported detector over `args.inputs` and write what `args.write` names.

    Raises:
        PipelineError: an option is out of range, an input or the model is missing, `args.out` would mix results with
            inputs, or an image could not be read or written (said after the others are done).
    """
    _check_options(args)
    paths = find_inputs(args.inputs, args.out)
    if not args.model.is_dir():
        raise CheckpointError(f"{args.model}: no exported model here; run `make run` first, or say --model FOLDER")
    # Imports TensorFlow: after the cheap checks.
    from tasks.evaluation.exported import load_saved_model, load_tflite  # noqa: PLC0415

    detector: Detector = load_tflite(args.model) if args.tflite else load_saved_model(args.model)
    score = score_threshold(args.score_threshold, args.model)
    writers = writers_for(args.write, args.out, detector.classes, score, args.fps)
    before = _files(args.out)
    done = predict_pictures(paths, detector, writers, score, batch_size=args.batch_size, every=args.every)
    # They stay: boxes in them may have been corrected by hand.
    done.older = len(before & _files(args.out))
    announce(done, args.out)


def writers_for(kinds: Sequence[str], out: Path, classes: Sequence[str], score: float, fps: float) -> list[Writer]:
    """A writer for each of `kinds`, which are of `KINDS`, into the folder `out`."""
    makers: dict[str, Callable[[], Writer]] = {
        "pictures": lambda: PictureWriter(out),
        "json": lambda: JsonWriter(out, classes, score),
        "voc": lambda: VocWriter(out),
        "csv": lambda: CsvWriter(out),
        "gif": lambda: GifWriter(out, fps),
    }
    return [makers[kind]() for kind in KINDS if kind in kinds]


def predict_pictures(
    paths: Sequence[Path],
    detector: Detector,
    writers: Sequence[Writer],
    score: float,
    *,
    batch_size: int,
    every: int = 1,
) -> Done:
    """Detect in every picture of `paths`, and give what has a score of at least `score` to the writers, in order.

    Pictures that cannot be read, or that a writer cannot write, are in what is returned; the others are done. A picture
    is dropped when it was written, so that two batches and the drawn copy of one are held at most.
    """
    start = time.monotonic()
    done = Done()
    names: set[str] = set()
    draws = any(writer.draws for writer in writers)
    with ThreadPoolExecutor() as pool, tqdm(total=count_pictures(paths, every), desc="predict", unit="image") as bar:
        for batch in read_pictures(paths, batch_size, every):
            read = len(batch)
            done.unreadable += [each for each in batch if isinstance(each, Unreadable)]
            pictures = deque(each for each in batch if isinstance(each, Picture))
            batch.clear()
            found = detector.detect([np.asarray(picture.image) for picture in pictures]) if pictures else []
            shown = [detections.above(score) for detections in found]
            images = pool.map(_drawn if draws else _plain, pictures, shown, [detector.classes] * len(pictures))
            for detections, image in zip(shown, images, strict=True):
                picture = pictures.popleft()
                prediction = Prediction(picture, detections, unique_name(picture.stem, names), image)
                done.unwritten += _write(prediction, writers)
                done.boxes += len(detections.classes)
            done.pictures += len(shown)
            bar.update(read)
    done.written = [writer.close(done.unreadable) for writer in writers]
    done.seconds = time.monotonic() - start
    return done


def announce(done: Done, out: Path) -> None:
    """Print what was done and where it is.

    Raises:
        DataError: pictures could not be read or written.
    """
    rate = done.pictures / done.seconds if done.seconds else 0.0
    print(f"{done.pictures} images, {done.boxes} boxes, {rate:.1f} images/s")
    tell(f"{out}: {', '.join(done.written)}")
    if done.older:
        tell(f"{out}: {done.older} files of earlier runs are still there; --out FOLDER keeps runs apart")
    if done.unreadable or done.unwritten:
        raise DataError(_complaint(done, out))


def _files(out: Path) -> set[tuple[Path, int]]:
    """The files below `out`, each with the time of its last change."""
    return {(path, path.stat().st_mtime_ns) for path in out.rglob("*") if path.is_file()}


def _drawn(picture: Picture, detections: Detections, classes: Sequence[str]) -> Image.Image:
    return draw_detections(picture.image, detections, classes)


def _plain(picture: Picture, _detections: Detections, _classes: Sequence[str]) -> Image.Image:
    return picture.image


def _write(prediction: Prediction, writers: Sequence[Writer]) -> list[Unwritten]:
    """Give it to each of `writers`; what became of it where one cannot write it."""
    failed: list[Unwritten] = []
    for writer in writers:
        try:
            writer.add(prediction)
        except FormatError as error:
            failed.append(Unwritten(prediction.picture.name, str(error)))
    return failed


def _check_options(args: argparse.Namespace) -> None:
    if args.score_threshold is not None and not 0.0 <= args.score_threshold <= 1.0:
        raise PipelineError(f"--score-threshold {args.score_threshold:g}: a score is a number from 0 to 1")
    if args.batch_size < 1:
        raise PipelineError(f"--batch-size {args.batch_size}: at least 1 image at a time")
    if args.every < 1:
        raise PipelineError(f"--every {args.every}: 1 takes every frame of a video, 10 every tenth")
    if not 0.1 <= args.fps <= 50:
        raise PipelineError(f"--fps {args.fps:g}: a GIF shows from 0.1 to 50 pictures a second")


def _complaint(done: Done, out: Path) -> str:
    parts: list[str] = []
    if done.unreadable:
        total = done.pictures + len(done.unreadable)
        head = f"{len(done.unreadable)} of {total} images could not be read; the other {done.pictures} are in {out}."
        parts.append(f"{head} Mend, convert or remove:")
        parts += _listed([f"{each.name}: {each.reason}" for each in done.unreadable])
    if done.unwritten:
        head = f"{len(done.unwritten)} of {done.pictures} images are not in every file in {out}."
        parts.append(f"{head} Rename:")
        parts += _listed([f"{each.name}: {each.reason}" for each in done.unwritten])
    return "\n".join(parts)


def _listed(lines: Sequence[str]) -> list[str]:
    more = [f"  and {len(lines) - _MOST_NAMED} more"] if len(lines) > _MOST_NAMED else []
    return [*(f"  {printable(line)}" for line in lines[:_MOST_NAMED]), *more]
