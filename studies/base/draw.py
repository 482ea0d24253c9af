"""Stage `scenes`: draw the scenes, side by side, and write them as COCO JSON with their images."""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from studies.base.params import ScenesParams
from studies.base.scenes.compose import draw_scene
from studies.base.scenes.kinds import FAMILIES
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import PipelineError
from tasks.ground.files import replacing
from tasks.ground.launch import die_with_parent
from tasks.ground.process import usable_cores

ANNOTATIONS, IMAGES = "annotations.json", "images"
# Few enough that the bar moves and no worker waits at the end, enough that a job costs little to pass on.
_SCENES_A_JOB = 16


@dataclass(frozen=True)
class _Job:
    """Scenes `start` to `stop` - 1, to be written into `folder`."""

    params: ScenesParams
    start: int
    stop: int
    folder: Path


def draw(params: ScenesParams, *, scenes: Path) -> dict[str, object]:
    """Write `params.count` scenes, `annotations.json` and `images/`, whole or not at all; figures to print.

    Raises:
        PipelineError: a worker process was killed.
    """
    with replacing(scenes, own_folder=True) as beside:
        (beside / IMAGES).mkdir(parents=True)
        images = tuple(_draw_all(params, beside / IMAGES))
        dataset = Dataset(scenes / IMAGES, _classes(params), images)
        write_coco(dataset, beside / ANNOTATIONS)
    return {
        "scenes": len(images),
        "boxes": sum(len(image.classes) for image in images),
        "classes": len(dataset.classes),
    }


def _classes(params: ScenesParams) -> tuple[str, ...]:
    if params.classes == "object":
        return ("object",)
    if params.classes == "families":
        return tuple(FAMILIES)
    return tuple(f"{family}_{number}" for family in FAMILIES for number in range(params.kinds_per_family))


def _draw_all(params: ScenesParams, folder: Path) -> Iterator[AnnotatedImage]:
    """Every scene in order; drawn by worker processes, one a core, as drawing is mostly Python."""
    starts = range(0, params.count, _SCENES_A_JOB)
    jobs = (_Job(params, start, min(start + _SCENES_A_JOB, params.count), folder) for start in starts)
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


def _write(job: _Job) -> list[AnnotatedImage]:
    return [_write_scene(job.params, number, job.folder) for number in range(job.start, job.stop)]


def _write_scene(params: ScenesParams, number: int, folder: Path) -> AnnotatedImage:
    scene = draw_scene(params.seed, number, side=params.side_px, kinds_per_family=params.kinds_per_family)
    name = f"scene_{number:06d}.jpg"
    (folder / name).write_bytes(scene.jpeg)
    labels = {"object": "object", "families": "{0}", "kinds": "{0}_{1}"}[params.classes]
    return AnnotatedImage(
        file_name=name,
        width=params.side_px,
        height=params.side_px,
        boxes=as_boxes(scene.boxes),
        classes=tuple(labels.format(*thing) for thing in scene.things),
        difficult=flags(len(scene.things)),
        iscrowd=flags(len(scene.things)),
    )
