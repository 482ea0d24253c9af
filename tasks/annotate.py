"""`python -m tasks annotate`, by way of `make annotate`: boxes drawn by hand in Label Studio, over a folder of images.

Where there is an exported model, what it sees stands in each image that nobody has drawn in yet, to be corrected.
"""

import argparse
import hashlib
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import httpx
import numpy as np
from tqdm import tqdm

from tasks.annotating.project import Project
from tasks.annotating.server import account_of, label_studio
from tasks.errors import DataError, PipelineError
from tasks.files import sha256_of
from tasks.formats.label_map import read_label_map
from tasks.prediction.inputs import Picture, find_inputs, is_video, read_pictures
from tasks.prediction.threshold import score_threshold
from tasks.text import printable, tell

ROOM = Path(".annotate")
_SAVED_EVERY_S = 3.0


def annotate(args: argparse.Namespace) -> None:
    """Serve the images of `args.images` until Ctrl-C, and keep `args.out` up to date with what has been drawn.

    Raises:
        PipelineError: no images, no classes, or Label Studio does not start.
    """
    # A shell lets what it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = args.images
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one with your images: make annotate IMAGES=folder")
    images = [path for path in find_inputs([folder], ROOM) if not is_video(path)]
    classes = _classes(args.classes, args.model)
    with label_studio(ROOM, folder.resolve().parent, args.port) as client:
        project = Project(client, folder, classes)
        new = project.add(images)
        tell(f"{folder}: {len(images)} images, {new} of them new; classes: {printable(', '.join(classes))}")
        if (args.model / "saved_model").is_dir():
            _show_predictions(project, images, args.model)
        account = account_of(ROOM)
        ended: SimpleQueue[int] = SimpleQueue()
        # From here on Ctrl-C must not break off a save. What a handler may call without harm is `put` of this queue.
        signal.signal(signal.SIGINT, lambda number, _: ended.put(number))
        print(
            f"\nDraw at {client.base_url}/projects/{project.number}/data\n"
            f"  e-mail {account.email}, password {account.password}\n"
            f"What you submit there is written to {args.out}. Ctrl-C here ends it; nothing is lost.\n"
        )
        done = _save_until(ended, project, args.out)
    print(
        f"{args.out}: {done} of {len(images)} images are drawn. To learn from them, in params.yaml:\n"
        f"  ingest: {{source: {args.out}, images: {folder}}}\nthen: make run"
    )


def _classes(given: Sequence[str], model: Path) -> tuple[str, ...]:
    known = read_label_map(model / "label_map.pbtxt") if (model / "label_map.pbtxt").is_file() else ()
    classes = (*known, *(name for name in dict.fromkeys(given) if name not in known)) if known else tuple(given)
    if not classes:
        raise PipelineError('what is to be drawn? Name the classes: make annotate IMAGES=folder CLASSES="cat dog"')
    return classes


def _show_predictions(project: Project, images: Sequence[Path], model: Path) -> None:
    from tasks.detector.exported import load_saved_model  # noqa: PLC0415 - imports TensorFlow

    version = _version(model)
    waiting = {
        task["data"]["image"]: task["id"]
        for task in project.tasks()
        if not task["annotations"] and version not in {each.get("model_version") for each in task["predictions"]}
    }
    paths = [path for path in images if project.address_of(path) in waiting]
    if not paths:
        return
    detector, score = load_saved_model(model), score_threshold(None, model)
    with tqdm(total=len(paths), desc="first drafts by the model", unit="image") as bar:
        for batch in read_pictures(paths, 8, 1):
            pictures = [each for each in batch if isinstance(each, Picture)]
            found = detector.detect([np.asarray(picture.image) for picture in pictures]) if pictures else []
            for picture, detections in zip(pictures, found, strict=True):
                task = waiting[project.address_of(Path(picture.name))]
                project.predict(task, detections.above(score), picture.image.size, version)
            bar.update(len(batch))
    project.show_predictions(version)


def _version(model: Path) -> str:
    """What tells one exported model from another."""
    digests = [sha256_of(path) for path in sorted((model / "saved_model").rglob("*")) if path.is_file()]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:8]


def _save_until(ended: "SimpleQueue[int]", project: Project, out: Path) -> int:
    """Save every few seconds until something is put into `ended`, and then once more; how many images are drawn."""
    done = 0
    try:
        while True:
            done = project.save(out)
            with suppress(Empty):
                ended.get(timeout=_SAVED_EVERY_S)
                return project.save(out)
    except httpx.TransportError as error:
        raise PipelineError(
            f"Label Studio stopped answering ({error}); {out} has {done} images, start it again"
        ) from error
