"""`python -m tasks annotate`, by way of `make annotate`: boxes drawn by hand in Label Studio, over a folder of images.

Where an exported model knows some of the classes, what it sees of them stands in each image that nobody has drawn in
yet, to be corrected. What has been drawn before, by the file that would be written over, is gone on with.
"""

import argparse
import hashlib
import signal
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import httpx
import numpy as np
from tqdm import tqdm

from tasks.annotating.earlier import bring_in, read_earlier
from tasks.annotating.project import IMAGE, Project, address_of
from tasks.annotating.server import account_of, label_studio
from tasks.dataset.detections import Detections, Detector
from tasks.errors import DataError, PipelineError
from tasks.ground.files import sha256_of
from tasks.ground.text import printable, tell
from tasks.model.label_map import read_label_map
from tasks.prediction.inputs import Picture, find_inputs, is_video, read_pictures
from tasks.prediction.threshold import score_threshold

ROOM = Path(".annotate")
_EXPORTED = Path("models/exported")
_SAVED_EVERY_S = 3.0
# Half a minute: a server that is busy answers by then.
_MOST_FAILURES = 10


def annotate(args: argparse.Namespace) -> None:
    """Serve the images of `args.images` until Ctrl-C, and keep `args.out` up to date with what has been drawn.

    Raises:
        PipelineError: no images, no classes, no model at `args.model`, `args.out` holds what would be lost, or Label
            Studio does not start.
    """
    # A shell lets what it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, out = args.images, args.out
    images, model = _images(folder), _model(args.model)
    known = read_label_map(model / "label_map.pbtxt") if model else ()
    classes = _classes(args.classes, known)
    earlier = read_earlier(out, classes)
    with label_studio(ROOM, folder.resolve().parent, args.port) as client:
        project = Project(client, folder, classes)
        new = project.add(images)
        tell(f"{folder}: {len(images)} images, {new} of them new; classes: {printable(', '.join(classes))}")
        taken = bring_in(project, earlier, images, out)
        if taken:
            tell(f"{out}: {taken} images that were drawn before are gone on with")
        if model:
            _show_predictions(project, images, model, sorted({*known} & {*classes}))
        ended: SimpleQueue[int] = SimpleQueue()
        # From here on Ctrl-C must not break off a save. What a handler may call without harm is `put` of this queue.
        signal.signal(signal.SIGINT, lambda number, _: ended.put(number))
        account = account_of(ROOM)
        print(
            f"\nDraw at {client.base_url}/projects/{project.number}/data\n"
            f"  e-mail {account.email}, password {account.password}\n"
            f"What you submit there is written to {out}. Ctrl-C here ends it; nothing is lost.\n"
        )
        done = _save_until(ended, project, out)
    print(_closing(done, len(images), out, folder))


def _closing(done: int, images: int, out: Path, folder: Path) -> str:
    if not done:
        return f"{out}: nothing is drawn"
    return (
        f"{out}: {done} of {images} images are drawn. To learn from them, in params.yaml:\n"
        f"  ingest: {{source: {out}, images: {folder}}}\nthen: make run"
    )


def _images(folder: Path) -> dict[str, Path]:
    """The images by their addresses."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one with your images: make annotate IMAGES=folder")
    return {address_of(path, folder): path for path in find_inputs([folder], ROOM) if not is_video(path)}


def _model(given: Path | None) -> Path | None:
    model = given or _EXPORTED
    if (model / "saved_model").is_dir() and (model / "label_map.pbtxt").is_file():
        return model
    if given:
        raise DataError(f"{given}: no exported model; MODEL= is a folder with saved_model/ and label_map.pbtxt")
    return None


def _classes(given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Those that were given, for these are the task; what a model knows may be another one."""
    classes = tuple(dict.fromkeys(given or known))
    if not classes:
        raise PipelineError('what is to be drawn? Name the classes: make annotate IMAGES=folder CLASSES="cat dog"')
    return classes


def _show_predictions(project: Project, images: Mapping[str, Path], model: Path, shared: Collection[str]) -> None:
    """First drafts of the classes that the model shares with the task."""
    if not shared:
        tell(f"{model}: knows none of these classes, so there are no first drafts")
        return
    version = _version(model, shared)
    waiting = _waiting(project, images, version)
    if waiting:
        from tasks.evaluation.exported import load_saved_model  # noqa: PLC0415 - imports TensorFlow

        _draft(project, waiting, load_saved_model(model), score_threshold(None, model), shared, version)


def _waiting(project: Project, images: Mapping[str, Path], version: str) -> dict[str, int]:
    """The tasks, by the path of their image, that nobody has drawn in and that have no draft of this version."""
    drafted = project.drafted(version)
    return {
        str(images[address]): task["id"]
        for task in project.tasks()
        if (address := task["data"].get(IMAGE)) in images and not task["annotations"] and task["id"] not in drafted
    }


def _draft(
    project: Project,
    waiting: Mapping[str, int],
    detector: Detector,
    score: float,
    shared: Collection[str],
    version: str,
) -> None:
    with tqdm(total=len(waiting), desc="first drafts by the model", unit="image") as bar:
        for batch in read_pictures([Path(name) for name in waiting], 8, 1):
            pictures = [each for each in batch if isinstance(each, Picture)]
            found = detector.detect([np.asarray(picture.image) for picture in pictures]) if pictures else []
            for picture, detections in zip(pictures, found, strict=True):
                drafts = _among(detections.above(score), shared)
                project.predict(waiting[picture.name], drafts, picture.image.size, version)
            bar.update(len(batch))
    project.show_predictions(version)


def _among(found: Detections, classes: Collection[str]) -> Detections:
    kept = [place for place, name in enumerate(found.classes) if name in classes]
    return Detections(found.boxes[kept], tuple(found.classes[place] for place in kept), found.scores[kept])


def _version(model: Path, shared: Collection[str]) -> str:
    """What tells the drafts of one exported model, and of some classes, from others."""
    digests = [sha256_of(path) for path in sorted((model / "saved_model").rglob("*")) if path.is_file()]
    return hashlib.sha256("\n".join([*digests, *shared]).encode()).hexdigest()[:8]


def _save_until(ended: "SimpleQueue[int]", project: Project, out: Path) -> int:
    """Save every few seconds until something is put into `ended`, and then once more; how many images are drawn.

    Raises:
        PipelineError: ten saves one after another failed; a single one is tried again, for somebody is drawing.
    """
    done, failures, is_last = 0, 0, False
    while True:
        try:
            done, failures = project.save(out), 0
            if is_last:
                return done
        except (PipelineError, httpx.HTTPError, OSError) as error:
            failures += 1
            if failures == _MOST_FAILURES:
                raise PipelineError(
                    f"{out}: could not be saved {failures} times ({error}) and has {done} images; what was drawn since "
                    f"is in {ROOM}, and comes with the same command"
                ) from error
            tell(f"{out}: could not be saved, and is tried again: {error}")
        with suppress(Empty):
            ended.get(timeout=_SAVED_EVERY_S)
            is_last = True
