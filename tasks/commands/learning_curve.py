"""`python -m tasks learning-curve`: how much more labelled images would bring, by training on fewer of them."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tasks.artifacts.base import DESCRIPTION
from tasks.artifacts.learning_curve import write_learning_curve
from tasks.dataset.dataset import Dataset
from tasks.dataset.split_files import read_coco_split
from tasks.errors import DataError, PipelineError
from tasks.ground.files import replacing
from tasks.ground.stage_files import require_file
from tasks.ground.text import print_text
from tasks.ground.unfinished import kept_by_command
from tasks.lint.paths import refuse_unsafe_out
from tasks.metrics.more_data import measured_curve, require_scored_images
from tasks.metrics.more_data_texts import answer_lines, size_lines
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.params import Params, TrainParams, read_params
from tasks.partition.similar import find_similar
from tasks.partition.subsets import Subset, chosen, nested_subsets
from tasks.report_page.learning_curve import learning_curve_page
from tasks.tfrecords.tf_example import read_split, shards_of

# No training is chosen by its figures, so that val is held out as well as test is.
_SCORED = ("val", "test")
_MOST_SEEDS = 20


def learning_curve(*, sizes: list[int], seeds: int, steps: int | None, out: Path, params: Path) -> None:
    """Train on subsets, score on the val and test images, print what twice the labels would bring; write `out`.

    A run that was killed goes on when started again; another number of seeds adds to it.

    Args:
        sizes: per cent of the training images, rising, the last 100.
        seeds: trainings on each size.
        steps: of each training; None for those of the params.
        out: the page; the figures go beside it as JSON.
        params: the file.

    Raises:
        PipelineError: an option is out of range, a stage has not run, or there are too few images.
        BusyError: another process is at it.
    """
    _refuse_bad_options(sizes, seeds, steps, out)
    values = read_params(params)
    refuse_unsafe_out(out, values)
    paths = values.paths
    classes = read_label_map(require_file(paths.records / LABEL_MAP, "records"))
    require_file(paths.base / DESCRIPTION, "checkpoint")
    require_file(paths.pipeline_config, "configure")
    train = Dataset(paths.records, classes, read_split(paths.records, "train"))
    subsets = _subsets(values, train, sizes, seeds)
    scored = {split: read_split(paths.records, split) for split in _SCORED}
    held_out = Dataset(paths.records, classes, tuple(image for own in scored.values() for image in own))
    require_scored_images(held_out)
    train_params = _train_params(values.train, steps)

    # Imports TensorFlow: only once all is checked that can be.
    from tasks.training.repeated import LabelledRecords  # noqa: PLC0415
    from tasks.training.subset_trainings import SubsetTraining, detect_after_each  # noqa: PLC0415

    # Seed by seed: with each the curve is whole.
    trainings = [
        SubsetTraining(
            f"{percent} % of the images ({len(subset)}), seed {seed + 1} of {seeds}",
            chosen(train.images, subset),
            values.train.seed + seed,
        )
        for seed, own in enumerate(subsets)
        for percent, subset in zip(sizes, own, strict=True)
    ]
    found = detect_after_each(
        train_params,
        LabelledRecords(paths.records, shards_of(paths.records, "train"), train),
        LabelledRecords(
            paths.records, [shard for split in _SCORED for shard in shards_of(paths.records, split)], held_out
        ),
        trainings,
        pipeline_config=paths.pipeline_config,
        base=paths.base,
        work=kept_by_command(paths.resume, "learning-curve"),
    )
    measured = measured_curve(
        list(zip(sizes, map(len, subsets[0]), strict=True)),
        held_out,
        [found[size :: len(sizes)] for size in range(len(sizes))],
        scored={split: len(images) for split, images in scored.items()},
        model=values.model.name,
        steps=train_params.steps,
    )
    write_learning_curve(out.with_suffix(".json"), measured)
    with replacing(out) as beside:
        beside.write_text(learning_curve_page(measured), encoding="utf-8")
    files = f"{out}: the page", f"{out.with_suffix('.json')}: the same as JSON"
    for line in (*size_lines(measured), *answer_lines(measured), *files):
        print_text(line)


def _refuse_bad_options(sizes: Sequence[int], seeds: int, steps: int | None, out: Path) -> None:
    rising = all(0 < one < other for one, other in pairwise(sizes))
    if len(sizes) < 2 or not rising or sizes[-1] != 100:
        given = " ".join(map(str, sizes))
        raise PipelineError(f"--sizes {given}: two or more, rising, of which the last is 100, such as 25 50 100")
    if not 2 <= seeds <= _MOST_SEEDS:
        raise PipelineError(f"--seeds {seeds}: from 2, whose difference shows what is chance, to {_MOST_SEEDS}")
    if steps is not None and steps < 1:
        raise PipelineError(f"--steps {steps}: at least 1")
    if out.suffix != ".html":
        raise PipelineError(f"--out {out}: a file that ends in .html")


def _subsets(values: Params, train: Dataset, sizes: Sequence[int], seeds: int) -> list[list[Subset]]:
    """The subsets of each seed and size; groups are those of the split stage, by the hashes that its files have."""
    images = read_coco_split(values.paths.splits, "train").images
    if {image.file_name for image in images} != {image.file_name for image in train.images}:
        raise DataError(
            f"{values.paths.records} holds other training images than {values.paths.splits}: run `dvc repro configure`"
        )
    groups = find_similar(images, values.split).groups
    return [nested_subsets(groups, train.classes, sizes, values.split.seed + seed) for seed in range(seeds)]


def _train_params(params: TrainParams, steps: int | None) -> TrainParams:
    """So many steps for every size, whatever time they take; of a changed number a tenth is warm-up at most."""
    changes: dict[str, object] = {"max_minutes": None, "patience": None}
    if steps is not None:
        changes |= {"steps": steps, "decay_steps": None, "warmup_steps": min(params.warmup_steps, steps // 10)}
    return params.model_copy(update=changes)
