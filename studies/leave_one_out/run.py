"""One training for each image, by the pipeline's own stages, on all images that do not look like it."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.trials.run import code, detected, params_of
from tasks.dataset.coco_json import read_coco, read_detections, write_coco, write_detections
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections
from tasks.errors import DataError
from tasks.ground.files import replacing, sha256_of, write_json
from tasks.metrics.analysis import intervals_of
from tasks.metrics.coco import figures_of, matched
from tasks.params import Params, SplitParams, read_params
from tasks.partition.near_duplicates import alike, consecutive, groups
from tasks.stages.table import run_stage

# Of the data and the work at hand: this is no study of our own.
_PARAMS = Path("params.yaml")
_ROOM = Path(".leave-one-out")
_STAGES = ("records", "checkpoint", "configure", "train")
_HEADLINES = ("mAP", "AP50", "AP75", "AR100")


def leave_one_out(out: Path, *, most: int) -> str:
    """Write the figures to `out`; lines for people.

    Raises:
        DataError: fewer than 2 images, more than `most`, or all of them look alike.
        PipelineError: as the stages raise it.
    """
    params = read_params(_PARAMS)
    read = read_coco(params.paths.validated)
    # In the order of names, in which neighbours among frames are looked for.
    dataset = _part(read, sorted(read.images, key=lambda image: image.file_name))
    if not 2 <= len(dataset.images) <= most:
        raise DataError(
            f"{params.paths.validated}: {len(dataset.images)} images; this is for 2 to {most} (--most), as each is a "
            "training; with more, cut a test part: split.test_fraction"
        )
    room = _ROOM / _key(params)
    found = [_left_out(dataset, number, learned, room) for number, learned in enumerate(_others(dataset, params.split))]
    matches = matched(dataset, found)
    figures, intervals = figures_of(matches), intervals_of(matches)
    content = {
        "images": len(dataset.images),
        **{name: figures[name] for name in _HEADLINES},
        "per_class": figures["per_class"],
        "intervals": {name: own and [own.low, own.high] for name, own in intervals.items()},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, content)
    shutil.rmtree(room)
    return "\n".join([*_lines(content), f"written to {out}"])


def _others(dataset: Dataset, params: SplitParams) -> list[list[int]]:
    """For each image the numbers of those that do not look like it.

    Raises:
        DataError: some image has none.
    """
    pairs = [
        *alike(dataset.images, params.near_duplicate_distance),
        *consecutive(dataset.images, params.frame_run_distance),
    ]
    group_of = {i: number for number, group in enumerate(groups(len(dataset.images), pairs)) for i in group}
    every = range(len(dataset.images))
    others = [[i for i in every if group_of[i] != group_of[own]] for own in every]
    for own, learned in enumerate(others):
        if not learned:
            raise DataError(
                f"{dataset.images[own].file_name}: all other images look like it, so nothing is left to learn"
            )
    return others


def _left_out(dataset: Dataset, number: int, learned: Sequence[int], room: Path) -> Detections:
    """What a model that learned from `learned` finds in image `number`."""
    done, folder = room / f"{number}.json", room / str(number)
    alone = _part(dataset, [dataset.images[number]])
    if not done.is_file():
        name = dataset.images[number].file_name
        print(f"leave_one_out: {number + 1} of {len(dataset.images)}: without {name}", flush=True)
        params = params_of(_PARAMS, folder, folder / "data", {})
        with replacing(params.paths.splits) as beside:
            beside.mkdir(parents=True)
            write_coco(_part(dataset, [dataset.images[i] for i in learned]), beside / "train.json")
            write_coco(_part(dataset, []), beside / "val.json")
            write_coco(alone, beside / "test.json")
        for stage in _STAGES:
            run_stage(stage, params)
        _, (found,) = detected(params, "test")
        write_detections([found], alone, done)
        shutil.rmtree(folder)
    (found,) = read_detections(done, alone)
    return found


def _part(dataset: Dataset, images: Sequence[AnnotatedImage]) -> Dataset:
    return Dataset(dataset.root, dataset.classes, tuple(images))


def _key(params: Params) -> str:
    """A hash of all that decides the result: another run starts clean."""
    known = [code(), sha256_of(params.paths.validated), params.model_dump_json()]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


def _lines(content: dict[str, Any]) -> list[str]:
    lines = [f"{content['images']} images, each scored by a model that did not see it:"]
    for name in _HEADLINES:
        value, ends = content[name], content["intervals"][name]
        shown = "-" if value is None else f"{value:.3f}"
        lines.append(f"  {name:6} {shown}" + (f"   95 %: {ends[0]:.2f} to {ends[1]:.2f}" if ends else "   no interval"))
    return lines
