"""`python -m tasks annotate`, by way of `make annotate`: boxes drawn by hand in Label Studio, over a folder of images.

Where an exported model knows some of the classes, its boxes are first drafts in each image that nobody has drawn in.
Boxes of an earlier session are kept.
"""

import signal
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue

from tasks.annotating.chosen import chosen_photos
from tasks.annotating.drafts import add_drafts, draft_version, tasks_to_draft
from tasks.annotating.project import Project, address_of
from tasks.annotating.review_tasks import ReviewTask, add_review_drafts, read_review_tasks
from tasks.annotating.saved_work import read_saved_work, restore
from tasks.annotating.saving import save_until
from tasks.annotating.server import account_of, label_studio
from tasks.errors import DataError, PipelineError
from tasks.ground.text import composed, counted, print_text, printable
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.prediction.inputs import find_inputs, is_video
from tasks.prediction.threshold import score_threshold
from tasks.prediction.writer import encodable

SERVER_FOLDER = Path(".annotate")
_EXPORTED = Path("models/exported")


def annotate(
    *,
    images: Path,
    classes: Sequence[str],
    out: Path,
    model: Path | None,
    only: Path | None,
    review: Path | None,
    port: int,
) -> None:
    """Serve the images of the folder `images` until Ctrl-C, and keep `out` up to date with what is drawn.

    Args:
        images: a folder; images in its subfolders count.
        out: Label Studio's JSON export; boxes that it has already are kept.
        classes: to draw; none takes those of the review, else those of the model.
        model: the folder of an exported model; None takes models/exported, if it exists.
        only: what `suggest` wrote: draw in the photos that it chose, in their order; boxes of others are kept.
        review: what `review` wrote for Label Studio: its images alone are new, its predictions are the drafts, and no
            model makes any.
        port: of the server, on loopback.

    Raises:
        PipelineError: no images, no classes, no model in the folder `model`, `out` holds what would be lost, `only`
            lists what is not in the folder, or Label Studio does not start.
    """
    # Commands in the background of a shell ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if only and review:
        raise PipelineError("--only and --review: each names the images to show; give one of them")
    paths, model = _paths_by_address(images), _model_folder(model)
    suspects = read_review_tasks(review) if review else []
    model_classes = read_label_map(model / LABEL_MAP) if model else ()
    if suspects:
        model_classes = tuple(suspects[0].data.classes)
    classes = _classes_to_draw(classes, model_classes)
    shown = _images_to_show(paths, images, only, suspects if review else None)
    saved = read_saved_work(out, classes)
    # Images that have boxes already are restored, whichever are asked for.
    shown |= {address: paths[address] for address in saved if address in paths}
    with label_studio(SERVER_FOLDER, images.resolve().parent, port) as client:
        project = Project(client, images, classes)
        new = project.add_images(shown)
        print_text(f"{images}: {len(shown)} images, {new} of them new; classes: {printable(', '.join(classes))}")
        restored = restore(project, saved, shown, out)
        if restored:
            print_text(f"{out}: the boxes of {restored} images are restored")
        if review:
            print_text(f"{review}: {counted(add_review_drafts(project, suspects), 'image')} with suspects")
        elif model:
            _draft(
                project,
                shown,
                model,
                sorted(name for name in classes if composed(name) in map(composed, model_classes)),
            )
        ended: SimpleQueue[int] = SimpleQueue()
        # From here on Ctrl-C must not break off a save. A handler may safely call `put` of this queue.
        signal.signal(signal.SIGINT, lambda number, _: ended.put(number))
        account = account_of(SERVER_FOLDER)
        print(
            f"\nDraw at {client.base_url}/projects/{project.number}/data\n"
            f"  e-mail {account.email}, password {account.password}\n"
            f"What you submit there is written to {out}. Ctrl-C here ends it; nothing is lost.\n"
        )
        done = save_until(ended, project, out, SERVER_FOLDER)
    print_text(_end(out, done, len(shown), images, review))


def _end(out: Path, done: int, count: int, images: Path, review: Path | None) -> str:
    """What was drawn, and what comes next."""
    if not done:
        return f"{out}: nothing is drawn"
    drawn = f"{out}: {done} of {count} images are drawn"
    if review:
        again = f"python -m tasks review --keep {out}"
        return f"{drawn}. What you left as it was is not shown again after\n  {again}"
    return (
        f"{drawn}. To learn from them, in params.yaml:\n  ingest: {{source: {out}, images: {images}}}\nthen: make run"
    )


def _paths_by_address(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one with your images: make annotate IMAGES=folder")
    images = [path for path in find_inputs([folder], SERVER_FOLDER) if not is_video(path)]
    names = [path.relative_to(folder).as_posix() for path in images]
    named = [path for path, name in zip(images, names, strict=True) if encodable(name) == name]
    if len(named) < len(images):
        print_text(
            f"{folder}: without {counted(len(images) - len(named), 'image')} whose name is not UTF-8; rename them"
        )
    return {address_of(path, folder): path for path in named}


def _images_to_show(
    paths: Mapping[str, Path], folder: Path, only: Path | None, suspects: Sequence[ReviewTask] | None
) -> dict[str, Path]:
    """The images to draw in, by address: those chosen, those with suspects, or all."""
    if only:
        return chosen_photos(paths, folder, only)
    if suspects is None:
        return dict(paths)
    shown = {task.data.image: paths[task.data.image] for task in suspects if task.data.image in paths}
    if suspects and not shown:
        raise DataError(f"{folder}: none of the images with suspects; name the folder that is ingest.images")
    return shown


def _model_folder(wanted: Path | None) -> Path | None:
    """The wanted model, else the exported one, if it exists."""
    model = wanted or _EXPORTED
    if (model / "saved_model").is_dir() and (model / LABEL_MAP).is_file():
        return model
    if wanted:
        raise DataError(f"{wanted}: no exported model; MODEL= is a folder with saved_model/ and label_map.pbtxt")
    return None


def _classes_to_draw(wanted: Sequence[str], model_classes: Sequence[str]) -> tuple[str, ...]:
    """The wanted classes alone, where there are any: the model may be of another task."""
    classes = tuple(dict.fromkeys(wanted or model_classes))
    if not classes:
        raise PipelineError('no classes to draw; name them: make annotate IMAGES=folder CLASSES="cat dog"')
    return classes


def _draft(project: Project, paths: Mapping[str, Path], model: Path, classes: Collection[str]) -> None:
    """Add first drafts of `classes`, which the model and the task share."""
    if not classes:
        print_text(f"{model}: knows none of these classes, so there are no first drafts")
        return
    version = draft_version(model, classes)
    tasks = tasks_to_draft(project, paths, version)
    if tasks:
        from tasks.evaluation.saved_model import load_saved_model  # noqa: PLC0415 - imports TensorFlow

        score, score_line = score_threshold(None, model)
        print_text(score_line)
        add_drafts(project, tasks, load_saved_model(model), score, classes, version)
