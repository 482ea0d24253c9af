"""Photos a second: `predict`, from files to files, beside the exported detector alone on pixels in memory."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.bare_runtime import batch_size
from bench.generated import SCENE_SIZE, generate_scenes
from bench.processes import Cost, cost_and_output, in_turns, spread

# What is run of an export folder.
_MODELS = {"SavedModel": Path(), "TFLite": Path("model.tflite")}
_WRITES = ("json", "pictures json")
_RATE = re.compile(r"(\d+) images, (?:\d+ boxes, )?([\d.]+) images/s")


@dataclass(frozen=True)
class Speed:
    """One process: the images that it detected in, how many in a second, and what the whole of it cost."""

    images: int
    rate: float
    cost: Cost


def compare_prediction(model: Path, folder: Path, repeats: int, *, images: int, photos: Path | None) -> list[str]:
    """Lines for people: images a second of both models, alone and in `predict`, and the share that `predict` reaches.

    Args:
        model: the folder of an exported detector.
        folder: for what is made and written.
        repeats: turns.
        images: how many photos are generated.
        photos: a folder with JPEG files to use in their place.

    Raises:
        RuntimeError: a process failed, or one side detected in more images than the other.
    """
    if photos is None:
        generate_scenes(folder / "photos", images)
    source = photos or folder / "photos"
    sides: dict[str, Callable[[], Speed]] = {}
    for label, part in _MODELS.items():
        sides[label] = partial(_speed, ["-m", "bench.bare_runtime", str(model / part), str(source)], folder)
        for write in _WRITES:
            sides[f"{label} {write}"] = partial(_predict, model / part, source, folder, write)
    speeds = in_turns(sides, repeats, "predict", warm_up=False)
    counts = {speed.images for runs in speeds.values() for speed in runs}
    if len(counts) > 1:
        raise RuntimeError(f"not all sides detected in the same images: {sorted(counts)} images")
    size = " x ".join(map(str, SCENE_SIZE))
    return [
        f"predict: {counts.pop()} photos{f' of {photos.name}' if photos else f', generated, {size} px'}",
        *(row for label, part in _MODELS.items() for row in _rows(model / part, label, speeds)),
    ]


def rate_in(output: str) -> tuple[int, float]:
    """The images and the images a second in the last line of `output` that has them.

    Raises:
        RuntimeError: no line has them.
    """
    found = _RATE.findall(output)
    if not found:
        raise RuntimeError(f"no line says how many images/s:\n{output[-2000:]}")
    return int(found[-1][0]), float(found[-1][1])


def _rows(model: Path, label: str, speeds: dict[str, list[Speed]]) -> list[str]:
    alone = speeds[label]
    rows = [_row(f"{label} alone, {batch_size(model)} at a time", alone)]
    for write in _WRITES:
        runs = speeds[f"{label} {write}"]
        shares = [ours.rate / theirs.rate for theirs, ours in zip(alone, runs, strict=True)]
        rows.append(f"{_row(f'{label} in predict --write {write}', runs)}; {spread(shares)} of it alone")
    return rows


def _row(name: str, runs: Sequence[Speed]) -> str:
    rates, peaks = [run.rate for run in runs], [run.cost.peak_mb for run in runs]
    return f"  {name:<44} {spread(rates, '.1f')} images/s, {spread(peaks, '.0f')} MB"


def _predict(model: Path, photos: Path, folder: Path, write: str) -> Speed:
    out = folder / "predictions"
    shutil.rmtree(out, ignore_errors=True)
    options = ["--model", str(model), "--out", str(out), "--write", *write.split()]
    return _speed(["-m", "tasks", "predict", str(photos), *options], folder)


def _speed(arguments: Sequence[str], folder: Path) -> Speed:
    cost, output = cost_and_output(arguments, folder)
    return Speed(*rate_in(output), cost)
