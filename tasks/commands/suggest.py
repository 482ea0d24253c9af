"""`python -m tasks suggest`: which photos of a folder to draw boxes in next.

It prefers photos that the exported model is unsure of and that are unlike all labelled ones.
"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.evaluation import read_evaluation
from tasks.artifacts.suggestions import LEFT_OUT_WORDS, SUGGESTIONS_FILE, LeftOut, Suggestions, write_suggestions
from tasks.dataset.coco_json import read_stage_coco
from tasks.errors import DataError, PipelineError
from tasks.ground.files import replacing
from tasks.ground.text import counted, print_text, printable
from tasks.lint.paths import refuse_unsafe_out
from tasks.model.checksums import model_checksum
from tasks.model.variants import export_folder
from tasks.params import read_params
from tasks.prediction.threshold import refuse_bad_options
from tasks.selection.candidates import Candidates, find_candidates
from tasks.selection.page import lead, suggestions_page
from tasks.selection.suggesting import Wanted, reasons_in_words, shortfall, suggest_photos
from tasks.selection.uncertainty import class_difficulty

if TYPE_CHECKING:
    from tasks.params import Params

_PAGE = "suggest.html"
_MAX_LISTED = 20
# In the value of a variable make takes them for code of its own, or hands them to a shell that does.
_ACTS_IN_MAKE = frozenset('$`"\\\n')


def suggest(
    *,
    folder: Path,
    count: int,
    model: Path,
    out: Path,
    random_share: float,
    seed: int,
    batch_size: int,
    trust: bool,
    params: Path,
) -> None:
    """Choose `count` photos of `folder` to label next; write suggest.json and suggest.html into `out`.

    Args:
        folder: with the photos, also in its subfolders.
        count: how many; all that there are, where they are fewer.
        model: an export folder, whose SavedModel runs, or the file of a variant in one.
        out: the folder to write into.
        random_share: of `count`, in 0..1, that is drawn at random.
        seed: of what is drawn at random.
        batch_size: how many photos are looked at together.
        trust: load a model that may do more than compute.
        params: the params file that says where the labelled photos are, and when photos are similar.

    Raises:
        PipelineError: an option is out of range, the folder, the model or the labelled photos are missing, no photo is
            left to choose from, or photos could not be read (raised after the results are written).
    """
    _check_options(count, random_share, seed, batch_size)
    values = read_params(params)
    refuse_unsafe_out(out, values)
    if out.exists() and not out.is_dir():
        raise DataError(f"--out {out}: a file of that name is there; name a folder")
    exported = export_folder(model)
    labelled = read_stage_coco(values.paths.validated, "validate")
    candidates = find_candidates(folder, out, labelled, values.split, values.validate_.max_image_megapixels)
    if not candidates.names:
        raise DataError(_nothing_left(folder, candidates))
    difficulty = _difficulty(values, exported)
    # They import TensorFlow: after the cheap checks.
    from tasks.detector.embedding import PhotoEmbedder  # noqa: PLC0415
    from tasks.evaluation.exported import load_exported  # noqa: PLC0415

    wanted = Wanted(folder, model, model_checksum(model), count, random_share, seed)
    detector = load_exported(model, trust=trust)
    done = suggest_photos(
        wanted,
        candidates,
        labelled,
        detector,
        PhotoEmbedder(),
        difficulty=difficulty,
        batch_size=batch_size,
        report=print_text,
    )
    command = annotate_command(folder, out / SUGGESTIONS_FILE, exported)
    page = suggestions_page(done.suggestions, done.paths, done.detections, detector.classes, command)
    write_suggestions(out / SUGGESTIONS_FILE, done.suggestions)
    with replacing(out / _PAGE) as beside:
        beside.write_text(page, encoding="utf-8")
    _print(done.suggestions, out, command)
    _refuse_unreadable(done.suggestions.left_out, out)


def annotate_command(folder: Path, suggestions: Path, exported: Path) -> str:
    """The command that starts drawing boxes in the suggested photos."""
    options = {"IMAGES": folder, "ONLY": suggestions}
    if exported != Path("models/exported"):
        options["MODEL"] = exported
    if any(_ACTS_IN_MAKE.intersection(str(value)) for value in options.values()):
        # What `make annotate` does.
        images, *others = ((name.lower(), shlex.quote(str(value))) for name, value in options.items())
        arguments = [images[1], *(f"--{name}={value}" for name, value in others)]
        return f"scripts/annotate.sh && python -m tasks annotate {' '.join(arguments)}"
    return " ".join(["make annotate", *(f"{name}={shlex.quote(str(value))}" for name, value in options.items())])


def _check_options(count: int, random_share: float, seed: int, batch_size: int) -> None:
    refuse_bad_options(None, batch_size)
    if count < 1:
        raise PipelineError(f"--count {count}: at least 1 photo; 20 are an hour of drawing, or less")
    if not 0.0 <= random_share <= 1.0:
        raise PipelineError(f"--random-share {random_share:g}: a share from 0 to 1; 0.2 is one photo in five")
    if seed < 0:
        raise PipelineError(f"--seed {seed}: a whole number from 0 on")


def _difficulty(values: "Params", exported: Path) -> Mapping[str, float]:
    """Of the classes, where the last run evaluated this model; a model from elsewhere has none."""
    metrics = values.paths.metrics_evaluate
    if exported.resolve() != values.paths.exported.resolve() or not metrics.is_file():
        return {}
    return class_difficulty(read_evaluation(metrics).saved_model.per_class)


def _nothing_left(folder: Path, candidates: Candidates) -> str:
    return (
        f"{folder}: no photo is left to choose from ({_left_out_in_words(candidates.left_out)}); "
        "name a folder with other photos"
    )


def _left_out_in_words(left_out: Sequence[LeftOut]) -> str:
    counts = Counter(each.why for each in left_out)
    return ", ".join(f"{words} {counts[why]}" for why, words in LEFT_OUT_WORDS.items() if counts[why])


def _print(found: Suggestions, out: Path, command: str) -> None:
    print_text(f"{lead(found)}: {reasons_in_words(found)}")
    if why := shortfall(found):
        print_text(why)
    if found.left_out:
        print_text(f"left out: {_left_out_in_words(found.left_out)}")
    for photo in found.photos[:_MAX_LISTED]:
        print_text(f"{photo.rank:4}  {photo.reason:6}  {photo.image}")
    if len(found.photos) > _MAX_LISTED:
        print(f"      and {len(found.photos) - _MAX_LISTED} more")
    print_text(f"{out / _PAGE}: the page\n{out / SUGGESTIONS_FILE}: the same as JSON\nto draw boxes in them: {command}")


def _refuse_unreadable(left_out: Sequence[LeftOut], out: Path) -> None:
    bad = [f"  {printable(each.image)}: {printable(each.detail)}" for each in left_out if each.why == "unreadable"]
    if bad:
        more = [f"  and {len(bad) - _MAX_LISTED} more"] if len(bad) > _MAX_LISTED else []
        head = f"{counted(len(bad), 'photo')} could not be read; {out} has what was chosen from the others. "
        raise DataError("\n".join([f"{head}Mend, convert or remove:", *bad[:_MAX_LISTED], *more]))
