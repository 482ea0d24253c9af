"""Stage `split`: deal the images out to train, val and test, so that what is tested on was not learned from.

Images that look alike stay together: copies, near-duplicates, and neighbours in a run of numbered files. Where the data
set's author made a split, that one is taken, and what crosses it is told of, dropped or moved (`split.author_split`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.dataset.coco_json import read_coco, write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.splits import SPLITS
from tasks.dataset.tallies import class_rows, size_rows
from tasks.ground.files import replacing, write_json
from tasks.ground.text import printable, tell
from tasks.partition.assign import assign_splits, split_fractions
from tasks.partition.leaks import find_leaks, list_dropped
from tasks.partition.memory import read_split_memory, write_split_memory
from tasks.partition.similar import SimilarImages, find_similar
from tasks.partition.summary import likeness, notes, table

if TYPE_CHECKING:
    from tasks.params import SplitParams


def split(
    params: "SplitParams", *, validated: Path, splits: Path, metrics_split: Path, plots_data: Path, split_memory: Path
) -> dict[str, Any]:
    """Write `splits`/train.json, val.json and test.json (COCO JSON), and figures of them to `metrics_split`.

    Beside them leaks.json lists the pairs that look alike and are in different parts, and dropped.json the images that
    are in no part.
    `plots_data` gets class_counts.json and box_sizes.json, rows for `dvc plots`.
    `split_memory` is read and written: see `tasks.partition.memory`.

    Raises:
        DataError: too few images for the fractions asked for, or none is left to train on.
        FormatError: `split_memory` is damaged.
    """
    dataset = read_coco(validated)
    found = find_similar(dataset.images, params)
    fractions = split_fractions(params, len(dataset.images))
    rule = {"seed": params.seed, "val_fraction": fractions["val"], "test_fraction": fractions["test"]}
    memory = read_split_memory(split_memory, rule)
    assigned = assign_splits(found, dataset.classes, params, fractions, memory)
    dealt = _dealt(dataset, found.images, assigned)
    parts = {name: dealt[name] for name in SPLITS}
    leaks, dropped = find_leaks(found, assigned), list_dropped(found, assigned)
    with replacing(splits) as beside:
        beside.mkdir()
        for name, part in parts.items():
            write_coco(part, beside / f"{name}.json")
        write_json(beside / "leaks.json", leaks)
        write_json(beside / "dropped.json", dropped)
    write_json(metrics_split, _figures(dealt, found, leaks))
    with replacing(plots_data) as beside:
        beside.mkdir()
        write_json(beside / "class_counts.json", class_rows(parts))
        write_json(beside / "box_sizes.json", size_rows(parts))
    by_content = {image.sha256: name for name, part in parts.items() for image in part.images if image.sha256}
    write_split_memory(memory.with_splits(by_content), split_memory)
    tell(table(dealt))
    author = params.author_split if any(image.given_split for image in found.images) else None
    for line in (*notes(parts, params), *likeness(_together(found, assigned), author, leaks, dropped)):
        tell(printable(line))
    return {name: len(part.images) for name, part in dealt.items()}


def _dealt(dataset: Dataset, images: Sequence[AnnotatedImage], assigned: Mapping[str, str]) -> dict[str, Dataset]:
    """What is in each part, and as `dropped` what is in none, where there is such."""
    by_split: dict[str, list[AnnotatedImage]] = {name: [] for name in SPLITS}
    for image in images:
        by_split.setdefault(assigned.get(image.file_name, "dropped"), []).append(image)
    return {name: Dataset(dataset.root, dataset.classes, tuple(chosen)) for name, chosen in by_split.items()}


def _together(found: SimilarImages, assigned: Mapping[str, str]) -> list[int]:
    """How many images each group has of which none is elsewhere."""
    return [len(group) for group in found.groups if len({assigned.get(image.file_name) for image in group}) == 1]


def _figures(parts: Mapping[str, Dataset], found: SimilarImages, leaks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sizes = [len(group) for group in found.groups]
    contents = Counter(image.sha256 for image in found.images if image.sha256)
    return {
        "groups": len(sizes),
        "largest_group": max(sizes),
        "copies": sum(count - 1 for count in contents.values()),
        "alike_images": sum(size for size in sizes if size > 1),
        "leaks": len(leaks),
        "leaking_test_images": len({row["test"] for row in leaks if "test" in row}),
        **{name: {"images": len(part.images), "boxes": dict(part.box_counts())} for name, part in parts.items()},
    }
