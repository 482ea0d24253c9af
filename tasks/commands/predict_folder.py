"""`python -m tasks predict-folder`: the exported detector on the photos of a folder that are new, each once."""

from collections.abc import Sequence
from pathlib import Path

from tasks.dataset.detections import Detector
from tasks.errors import CheckpointError, PipelineError
from tasks.ground.files import write_json
from tasks.ground.text import counted, print_text
from tasks.images.small_square import Embed
from tasks.images.unread_formats import named_files
from tasks.lint.paths import refuse_unsafe_out
from tasks.model.checksums import model_checksum
from tasks.model.variants import export_folder
from tasks.params import read_params
from tasks.prediction.alarm import alarm_of, refuse_bad_rate, verdict_of
from tasks.prediction.folder_run import Summary, predict_new
from tasks.prediction.ledger import Made
from tasks.prediction.new_photos import Rules
from tasks.prediction.threshold import refuse_bad_options
from tasks.prediction.threshold import score_threshold as chosen_score
from tasks.prediction.writer import encodable

_MAX_LISTED = 20
# Says where stages write, if the working directory is a project's.
_PARAMS = Path("params.yaml")


def predict_folder(  # noqa: PLR0913 - an option each
    *,
    folder: Path,
    out: Path | None,
    model: Path,
    score_threshold: float | None,
    draw: bool,
    again: bool,
    settle: float,
    batch_size: int,
    trust: bool,
    summary: Path | None,
    alarm_rate: float,
) -> None:
    """Detect in the photos of `folder` that no earlier run has done; a killed run goes on when started again.

    Args:
        folder: with the photos, also in its subfolders.
        out: for the results, in subfolders as the photos are; None for `folder`/predictions.
        model: an export folder, whose SavedModel runs, or the file of a variant in one.
        score_threshold: in 0..1; None takes the model's own.
        draw: also write each photo with its boxes.
        again: also do photos whose result is of another model or score threshold.
        settle: leave photos that changed within so many seconds.
        batch_size: how many images are detected together.
        trust: load a model that may do more than compute.
        summary: a file for what was done.
        alarm_rate: of how many batches like the training photos it is reported that they are not; 0 compares nothing.

    Raises:
        PipelineError: an option is out of range, the folder or the model is missing, `out` is no place for results.
        BusyError: another run writes into `out`.
    """
    refuse_bad_options(score_threshold, batch_size)
    refuse_bad_rate(alarm_rate)
    if not 0 <= settle <= 86400:
        raise PipelineError(f"--settle {settle:g}: seconds, from 0 to 86400, a day")
    exported = export_folder(model)
    alarm = alarm_of(exported, alarm_rate, _embedder)
    results = folder / "predictions" if out is None else out
    if _PARAMS.is_file():
        refuse_unsafe_out(results, read_params(_PARAMS))
    checksum, (score, score_line) = model_checksum(model), chosen_score(score_threshold, exported)

    def load() -> Detector:
        # Imports TensorFlow: only where there is something to detect in.
        from tasks.evaluation.exported import load_exported  # noqa: PLC0415

        detector = load_exported(model, trust=trust)
        if model_checksum(model) != checksum:
            raise CheckpointError(f"{model}: changed while it was loaded; run this again")
        if score_line:
            print_text(score_line)
        return detector

    rules = Rules(Made(checksum, score, draw), again, settle)
    done, others = predict_new(folder, results, rules, load, batch_size=batch_size, report=print_text, look=alarm.look)
    verdict, alarm_text = verdict_of(alarm)
    if others:
        print_text(f"left out {counted(len(others), 'file')} without an image's suffix: {named_files(others)}")
    _print(done, results, settle, alarm_text)
    if summary:
        places = {"folder": encodable(str(folder)), "out": encodable(str(results)), "model": encodable(str(model))}
        about = {"model_checksum": checksum, "score_threshold": score, "others": len(others)}
        unlike = verdict.figures() if verdict else None
        write_json(summary, {**places, **about, **figures(done), "unlike": unlike})


def _embedder() -> Embed:
    from tasks.detector.embedding import PhotoEmbedder  # noqa: PLC0415

    return PhotoEmbedder()


def figures(done: Summary) -> dict[str, object]:
    """What `--summary` writes of a run."""
    return {**vars(done), "new": done.new, "done": done.done, "images_per_s": round(done.images_per_s, 2)}


def _print(done: Summary, out: Path, settle_s: float, alarm_text: str) -> None:
    too_new = f"changed within the last {settle_s:g} s; run again later, or add --settle 0"
    only_too_new = done.too_new and not (done.new or done.again or done.changed)
    print_text(f"{_first_line(done)}: {too_new}" if only_too_new else _first_line(done))
    if done.detected:
        print_text(_boxes(done))
    print_text(f"{out}: the results, a JSON file for each photo")
    if done.drawings_removed:
        drawings = counted(done.drawings_removed, "drawing")
        print_text(f"{drawings} of earlier results removed: add --again --draw to draw them anew")
    if done.too_new and not only_too_new:
        print_text(f"too new: {too_new}")
    _list(f"{counted(len(done.changed), 'photo')} left for the next run: written to while being read", done.changed)
    _list(f"{counted(len(done.gone), 'photo')} gone since the start of this run", done.gone)
    unreadable = [f"{name}: {reason}" for name, reason in sorted(done.unreadable.items())]
    _list(f"{counted(len(unreadable), 'photo')} cannot be read; tried again when changed", unreadable)
    if alarm_text:
        print_text(alarm_text)


def _first_line(done: Summary) -> str:
    """Counts that are zero are left out."""
    counts = {
        f"{done.detected} detected": done.detected,
        counted(done.copied, "copy"): done.copied,
        f"{done.recovered} taken from earlier results": done.recovered,
        f"{done.newly_unreadable} unreadable": done.newly_unreadable,
    }
    listed = ", ".join(words for words, count in counts.items() if count)
    left = len(done.too_new) + len(done.changed)
    parts = {
        f"{done.new or 'none'} new": done.new or not left,
        f"{done.again} done again": done.again,
        f"{len(done.too_new)} too new": done.too_new,
        f"{len(done.changed)} still being written": done.changed,
    }
    head = ", ".join([counted(done.photos, "photo"), *(words for words, count in parts.items() if count)])
    return f"{head}{': ' if listed else ''}{listed}"


def _boxes(done: Summary) -> str:
    """The boxes of those that were detected in; others have boxes, too, which earlier runs counted."""
    classes = ", ".join(f"{name} {count}" for name, count in sorted(done.boxes.items()))
    where = f" in the {done.detected} detected" if done.detected < done.done else ""
    boxes = counted(sum(done.boxes.values()), "box")
    return f"{boxes}{where} ({classes or 'none'}), {done.images_per_s:.1f} images/s"


def _list(head: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    more = [f"  and {len(lines) - _MAX_LISTED} more"] if len(lines) > _MAX_LISTED else []
    print_text("\n".join([f"{head}:", *(f"  {line}" for line in lines[:_MAX_LISTED]), *more]))
