"""One review of one data set with planted mistakes, and the same detections through ObjectLab."""

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.labels.params import LabelsParams
from studies.labels.planting import Planted, plant
from studies.labels.result import MethodFigures, ObjectLabFigures, Reviewed
from studies.labels.scoring import Named, fitted_thresholds, score
from studies.stages import PARAMS, code_version, run_stages, write_params
from tasks.artifacts.artifact import write_artifact
from tasks.dataset.boxes import corners
from tasks.dataset.coco_json import read_stage_coco, write_coco
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.dataset.splits import SPLITS
from tasks.errors import PipelineError
from tasks.ground.files import read_json, write_json
from tasks.ground.unfinished import kept_by_command
from tasks.metrics.coco import coco_figures
from tasks.params import Params
from tasks.review.folds import folds_of, read_labelled
from tasks.review.suspects import find_suspects
from tasks.tfrecords.tf_example import shards_of

DETECTIONS = Path("detections")
_OBJECTLAB = Path(".objectlab/bin/python")
# Half of what a person looks at is wrong: below that nobody goes on.
_PRECISION = 0.5


def prepare(name: str, folder: Path, study: LabelsParams) -> None:
    """Write data/`name`/validated, the labels that passed the gate.

    Raises:
        PipelineError: as the stages raise it.
    """
    source = {"source": str(folder), "images": str(folder), "format": "auto"}
    own = Path("data") / name
    run_stages(("ingest", "validate"), write_params(PARAMS, own, own, {**study.changes, "ingest": source}))


def review(data: str, seed: int, study: LabelsParams, results: Path) -> Reviewed:
    """Plant mistakes into the labels, detect out of fold, rank the suspects, count those that are planted.

    Raises:
        PipelineError: as the stages raise it.
    """
    # A run that was killed goes on: the folder stays until there is a result.
    folder = Path("runs") / f"{data}-{seed}"
    params = write_params(PARAMS, folder, folder / "data", study.changes)
    clean = read_stage_coco(Path("data") / data / "validated" / "annotations.json", "validate")
    spoilt, planted = plant(clean, study.share, seed)
    params.paths.validated.parent.mkdir(parents=True, exist_ok=True)
    write_coco(spoilt, params.paths.validated)
    run_stages(("split", "records", "checkpoint", "configure"), params)
    labelled = read_labelled(params.paths)
    planted = _in_order_of(labelled, spoilt, planted)
    start = time.monotonic()
    detections = _detect(params, labelled, study)
    minutes = (time.monotonic() - start) / 60
    own = {image.file_name: image for image in clean.images}
    right = Dataset(labelled.root, labelled.classes, tuple(own[image.file_name] for image in labelled.images))
    figures = coco_figures(right, detections)
    suspects = [
        Named(each.image, each.box, each.class_, each.kind == "missing_box")
        for each in find_suspects(labelled, detections)
    ]
    result = Reviewed(
        data=data,
        seed=seed,
        code=code_version("studies/labels/*.py"),
        images=len(labelled.images),
        labels=sum(len(image.classes) for image in labelled.images),
        planted=dict(sorted(Counter(each.kind for each in planted).items())),
        mAP=figures.mean_ap,
        AP50=figures.ap50,
        minutes=round(minutes, 1),
        review=MethodFigures(**score(suspects, planted, _PRECISION)._asdict()),
    )
    _write_detections(labelled, detections, planted, DETECTIONS / f"{result.key}.json")
    results.mkdir(exist_ok=True)
    write_artifact(results / f"{result.key}.json", result)
    shutil.rmtree(folder)
    return result


def objectlab(data: str, seed: int, results: Path) -> ObjectLabFigures:
    """Rank the same by ObjectLab, count the planted mistakes.

    Raises:
        PipelineError: its environment is missing, or it failed.
    """
    if not _OBJECTLAB.exists():
        raise PipelineError(f"{_OBJECTLAB}: missing; README.md says how to make this environment")
    file, ranked = DETECTIONS / f"{data}-{seed}.json", Path("runs") / f"objectlab-{data}-{seed}.json"
    content = read_json(file, "labels and detections")
    thresholds = fitted_thresholds(content["labels"], content["predictions"])
    command = [str(_OBJECTLAB), str(Path(__file__).with_name("objectlab.py")), str(file), str(ranked)]
    command += ["--thresholds", *map(repr, thresholds)] if thresholds else []
    if subprocess.run(command, check=False).returncode:
        raise PipelineError(f"`{' '.join(command)}` failed; see above")
    planted = [Planted(*each) for each in content["planted"]]
    listed = json.loads(ranked.read_text(encoding="utf-8"))

    def figures(which: str) -> MethodFigures:
        suspects = [
            Named(each["image"], each["box"], content["classes"][each["class"]], each["missing"])
            for each in listed[which]
        ]
        return MethodFigures(**score(suspects, planted, _PRECISION)._asdict())

    found = ObjectLabFigures(data=data, seed=seed, thresholds=thresholds, own=figures("own"), fitted=figures("fitted"))
    results.mkdir(exist_ok=True)
    write_artifact(results / f"{data}-{seed}.json", found)
    ranked.unlink()
    return found


def _in_order_of(labelled: Dataset, spoilt: Dataset, planted: Sequence[Planted]) -> list[Planted]:
    """The same mistakes, at the places that images have among the splits."""
    place = {image.file_name: number for number, image in enumerate(labelled.images)}
    names = [image.file_name for image in spoilt.images]
    # The split leaves out what is in it twice.
    return [each._replace(image=place[names[each.image]]) for each in planted if names[each.image] in place]


def _detect(params: Params, labelled: Dataset, study: LabelsParams) -> list[Detections]:
    from tasks.training.out_of_fold import detect_out_of_fold  # noqa: PLC0415 - imports TensorFlow
    from tasks.training.repeated import LabelledRecords  # noqa: PLC0415

    paths = params.paths
    shards = [shard for split in SPLITS for shard in shards_of(paths.records, split)]
    return detect_out_of_fold(
        params.train.model_copy(update={"steps": study.steps}),
        LabelledRecords(paths.records, shards, labelled),
        folds_of(labelled, params.split, study.folds),
        pipeline_config=paths.pipeline_config,
        base=paths.base,
        work=kept_by_command(paths.resume, "review"),
    )


def _write_detections(
    labelled: Dataset, detections: Sequence[Detections], planted: Sequence[Planted], to: Path
) -> None:
    number = {name: i for i, name in enumerate(labelled.classes)}
    content: dict[str, Any] = {
        "classes": list(labelled.classes),
        "labels": [
            {"bboxes": image.boxes.tolist(), "labels": [number[name] for name in image.classes]}
            for image in labelled.images
        ],
        "predictions": [_by_class(found, labelled.classes) for found in detections],
        "planted": [list(each) for each in planted],
    }
    write_json(to, content)


def _by_class(found: Detections, classes: Sequence[str]) -> list[list[list[float]]]:
    rows: dict[str, list[list[float]]] = {name: [] for name in classes}
    for box, name, value in zip(found.boxes, found.classes, found.scores, strict=True):
        own = corners(box)
        if own:
            rows[name].append([*own, float(value)])
    return [rows[name] for name in classes]
