"""`python -m tasks predict`: what the exported detector finds in a person's pictures, drawn and listed.

Pictures are turned upright, as their EXIF orientation or their video states, before the detector sees them.
"""

from collections.abc import Sequence
from pathlib import Path

from tasks.dataset.detections import Detector
from tasks.errors import DataError, PipelineError
from tasks.ground.text import counted, print_text, printable
from tasks.images.small_square import Embed
from tasks.images.unread_formats import named_files
from tasks.model.variants import export_folder
from tasks.prediction.alarm import alarm_of, refuse_bad_rate, verdict_of
from tasks.prediction.inputs import find_inputs, passed_over
from tasks.prediction.kinds import writers_for
from tasks.prediction.run import Outcome, predict_pictures
from tasks.prediction.slices import DEFAULT_OVERLAP, LEAST_SLICE_PX, MOST_OVERLAP, Slicing
from tasks.prediction.threshold import refuse_bad_options
from tasks.prediction.threshold import score_threshold as chosen_score
from tasks.prediction.writer import Output

_MAX_LISTED = 20


def predict(  # noqa: PLR0913 - an option each
    *,
    inputs: Sequence[Path],
    model: Path,
    out: Path,
    score_threshold: float | None,
    batch_size: int,
    slice_px: int | None,
    slice_overlap: float | None,
    write: Sequence[str],
    every: int,
    fps: float,
    trust: bool,
    alarm_rate: float,
) -> None:
    """Run an exported detector over `inputs`, and write what it finds.

    Args:
        inputs: as `find_inputs` takes them.
        model: an export folder, whose SavedModel runs, or the file of a variant in one.
        out: the folder to write into.
        score_threshold: in 0..1; None takes the model's own.
        batch_size: how many images are detected together.
        slice_px: the side of the tiles that larger photos are detected in too; None detects in whole photos only.
        slice_overlap: the share of its side that a tile has in common with its neighbour; None takes 0.2.
        write: kinds of files, keys of `KINDS`.
        every: 1 takes every frame of a video, 10 every tenth.
        fps: pictures a second in the GIF.
        trust: load a model that may do more than compute.
        alarm_rate: of how many batches like the training photos it is reported that they are not; 0 compares nothing.

    Raises:
        PipelineError: an option is out of range, an input or the model is missing, `out` would mix results with inputs,
            or an image could not be read or written (raised after the others are done).
    """
    _check_options(score_threshold, batch_size, every, fps)
    refuse_bad_rate(alarm_rate)
    slicing = _slicing(slice_px, slice_overlap)
    if out.exists() and not out.is_dir():
        raise DataError(f"--out {out}: a file of that name is there; name a folder")
    paths = find_inputs(inputs, out)
    folder = export_folder(model)
    alarm = alarm_of(folder, alarm_rate, _embedder)
    # Imports TensorFlow: after the cheap checks.
    from tasks.evaluation.exported import load_exported  # noqa: PLC0415

    detector: Detector = load_exported(model, trust=trust)
    score, score_line = chosen_score(score_threshold, folder)
    if score_line:
        print_text(score_line)
    writers = writers_for(write, Output(out, detector.classes, score, fps))
    before = _versions(out)
    others = passed_over(inputs)
    if others:
        print_text(
            f"left out {counted(len(others), 'file')} without an image's or a video's suffix: {named_files(others)}"
        )
    outcome = predict_pictures(
        paths,
        detector,
        writers,
        score,
        batch_size=batch_size,
        every=every,
        slicing=slicing,
        look=alarm.look,
    )
    _, alarm_text = verdict_of(alarm)
    # Files of earlier runs stay: boxes in them may have been corrected by hand.
    report(outcome, out, unchanged=len(before & _versions(out)), alarm_text=alarm_text)


def _embedder() -> Embed:
    from tasks.detector.embedding import PhotoEmbedder  # noqa: PLC0415

    return PhotoEmbedder()


def report(outcome: Outcome, out: Path, *, unchanged: int = 0, alarm_text: str = "") -> None:
    """Print what was done and where it is; `unchanged` files in `out` are of earlier runs.

    `alarm_text` says that the pictures are unlike the training photos, where they are.

    Raises:
        DataError: pictures could not be read or written.
    """
    rate = outcome.pictures / outcome.seconds if outcome.seconds else 0.0
    print(f"{counted(outcome.pictures, 'image')}, {counted(outcome.boxes, 'box')}, {rate:.1f} images/s")
    print_text(f"{out}: {', '.join(outcome.written)}")
    if unchanged:
        print_text(f"{out}: unchanged, of earlier runs: {counted(unchanged, 'file')}; --out FOLDER keeps runs apart")
    if alarm_text:
        print_text(alarm_text)
    if outcome.unreadable or outcome.unwritten:
        raise DataError(_complaint(outcome, out))


def _versions(folder: Path) -> set[tuple[Path, int]]:
    """The files below `folder`, each with the time of its last change."""
    return {(path, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def _check_options(score_threshold: float | None, batch_size: int, every: int, fps: float) -> None:
    refuse_bad_options(score_threshold, batch_size)
    if every < 1:
        raise PipelineError(f"--every {every}: 1 takes every frame of a video, 10 every tenth")
    if not 0.1 <= fps <= 50:
        raise PipelineError(f"--fps {fps:g}: a GIF shows from 0.1 to 50 pictures a second")


def _slicing(side_px: int | None, overlap: float | None) -> Slicing | None:
    if side_px is None:
        if overlap is not None:
            raise PipelineError(f"--slice-overlap {overlap:g}: without --slice there are no tiles; add --slice 640")
        return None
    if side_px < LEAST_SLICE_PX:
        raise PipelineError(f"--slice {side_px}: a tile has sides of at least {LEAST_SLICE_PX} pixels")
    share = DEFAULT_OVERLAP if overlap is None else overlap
    if not 0.0 <= share <= MOST_OVERLAP:
        raise PipelineError(f"--slice-overlap {share:g}: tiles share from 0 to {MOST_OVERLAP:g} of their side")
    return Slicing(side_px, share)


def _complaint(outcome: Outcome, out: Path) -> str:
    lines: list[str] = []
    if outcome.unreadable:
        count, total = len(outcome.unreadable), outcome.pictures + len(outcome.unreadable)
        rest = f"; the rest is in {out}" if outcome.pictures else ""
        lines.append(f"{count} of {counted(total, 'image')} could not be read{rest}. Mend, convert or remove:")
        lines += _listed([f"{each.name}: {each.reason}" for each in outcome.unreadable])
    if outcome.unwritten:
        count, images = len(outcome.unwritten), counted(outcome.pictures, "image")
        lines.append(f"{count} of {images} could not be written to every file in {out}:")
        lines += _listed([f"{each.name}: {each.reason}" for each in outcome.unwritten])
    return "\n".join(lines)


def _listed(lines: Sequence[str]) -> list[str]:
    more = [f"  and {len(lines) - _MAX_LISTED} more"] if len(lines) > _MAX_LISTED else []
    return [*(f"  {printable(line)}" for line in lines[:_MAX_LISTED]), *more]
