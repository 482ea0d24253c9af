"""Stage `scenes`: draw the scenes, side by side, and write them as COCO JSON with their images.

What a killed run has drawn is kept and used by the next one.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from studies.base.generator import generator_sha256
from studies.base.library import Library
from studies.base.params import DrawnScenes, ScenesParams
from studies.base.scenes.compose import draw_scene
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import PipelineError
from tasks.ground.files import replacing, write_json
from tasks.ground.launch import die_with_parent
from tasks.ground.process import usable_cores
from tasks.ground.unfinished import unfinished_work

ANNOTATIONS, IMAGES = "annotations.json", "images"
# Few enough that the bar moves and no worker waits at the end, enough that a job costs little to pass on.
_SCENES_A_JOB = 16


@dataclass(frozen=True)
class _Job:
    """Scenes `start` to `stop` - 1, to be written into `folder`."""

    params: ScenesParams
    materials: Path
    start: int
    stop: int
    folder: Path


def draw(params: ScenesParams, *, materials: Path, scenes: Path) -> dict[str, object]:
    """Write `params.count` scenes, `annotations.json` and `images/`, whole or not at all; figures to print.

    Raises:
        PipelineError: the materials are missing, another process draws here, or a worker process was killed.
    """
    library = Library(materials)
    names = sorted({*library.names, *(thing.label for found in library.findings.values() for thing in found)})
    busy = PipelineError(f"scenes: another process draws into {scenes}; wait for it")
    with unfinished_work(scenes.with_suffix(".partial"), _key(params, materials), busy) as folder:
        images = tuple(_draw_all(params, materials, folder))
        with replacing(scenes, own_folder=True) as beside:
            (beside / IMAGES).mkdir(parents=True)
            write_coco(Dataset(scenes / IMAGES, tuple(names), images), beside / ANNOTATIONS)
            for image in images:
                (folder / image.file_name).replace(beside / IMAGES / image.file_name)
        shutil.rmtree(folder)
    return {"scenes": len(images), "boxes": sum(len(image.classes) for image in images), "classes": len(names)}


def _key(params: ScenesParams, materials: Path) -> str:
    """What a scene depends on; not on how many there are."""
    drawn = DrawnScenes(**params.model_dump(exclude={"workers"})).model_dump(exclude={"count"})
    content = json.dumps([generator_sha256(materials), drawn], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _draw_all(params: ScenesParams, materials: Path, folder: Path) -> Iterator[AnnotatedImage]:
    """Every scene in order; drawn by worker processes, one a core, as drawing is mostly Python."""
    starts = range(0, params.count, _SCENES_A_JOB)
    jobs = (_Job(params, materials, start, min(start + _SCENES_A_JOB, params.count), folder) for start in starts)
    workers = min(params.workers or usable_cores(), len(starts))
    # Spawned: a forked child could inherit a lock that no thread will ever release.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=die_with_parent, initargs=(os.getpid(),))
    waiting: deque[Future[list[AnnotatedImage]]] = deque()
    try:
        with tqdm(total=params.count, desc="scenes", unit="scene") as bar:
            for job in jobs:
                waiting.append(pool.submit(_write, job))
                if len(waiting) > 2 * workers:
                    yield from _progress(waiting.popleft().result(), bar)
            while waiting:
                yield from _progress(waiting.popleft().result(), bar)
    except BrokenProcessPool as error:
        raise PipelineError(
            "scenes: a worker process ended abruptly, most likely for lack of memory; lower scenes.workers in "
            "scenes.yaml"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _progress(images: list[AnnotatedImage], bar: "tqdm[Any]") -> list[AnnotatedImage]:
    """Move the bar by `images`, which are returned."""
    bar.update(len(images))
    return images


@lru_cache(maxsize=1)
def _library(materials: Path) -> Library:
    """One for all jobs of a worker process."""
    return Library(materials)


def _write(job: _Job) -> list[AnnotatedImage]:
    return [_write_scene(job, number) for number in range(job.start, job.stop)]


def _write_scene(job: _Job, number: int) -> AnnotatedImage:
    params = job.params
    name = f"scene_{number:06d}.jpg"
    labels = (job.folder / name).with_suffix(".json")
    if labels.is_file() and (job.folder / name).is_file():
        known = json.loads(labels.read_text(encoding="utf-8"))
        return _annotated(params, name, known["boxes"], known["labels"])
    scene = draw_scene(
        _library(job.materials), params.seed, number, side=params.side_px, photo_share=params.photo_share
    )
    (job.folder / name).write_bytes(scene.jpeg)
    # Last: a scene whose labels are there is whole.
    write_json(labels, {"boxes": scene.boxes, "labels": scene.labels})
    return _annotated(params, name, scene.boxes, scene.labels)


def _annotated(params: ScenesParams, name: str, boxes: list[Any], labels: list[str]) -> AnnotatedImage:
    return AnnotatedImage(
        file_name=name,
        width=params.side_px,
        height=params.side_px,
        boxes=as_boxes(boxes),
        classes=tuple(labels),
        difficult=flags(len(labels)),
        iscrowd=flags(len(labels)),
    )
