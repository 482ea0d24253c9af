"""Stage `split`: deal the images out to train, val and test, so that what is tested on was not learned from.

Images that look alike stay together: copies, near-duplicates, and neighbours in a run of numbered files. Where the data
set's author made a split, that one is taken, and what crosses it is told of, dropped or moved (`split.author_split`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.partition.near_duplicates import Pair, alike, consecutive, groups
from tasks.partition.stratify import deal
from tasks.dataset.tallies import FEW_IMAGES, class_rows, size_rows
from tasks.errors import DataError
from tasks.ground.files import replacing, write_json
from tasks.formats.coco import read_coco, write_coco
from tasks.partition.memory import SplitMemory, read_split_memory, write_split_memory
from tasks.partition.summary import likeness, notes, table
from tasks.ground.text import printable, tell

if TYPE_CHECKING:
    from tasks.params import SplitParams

PARTS = ("train", "val", "test")


class _Alike(NamedTuple):
    """Images in the order of their names, which pairs look alike, and the groups that these make."""

    images: Sequence[AnnotatedImage]
    pairs: Sequence[Pair]
    groups: Sequence[Sequence[AnnotatedImage]]


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
    found = _alike(dataset.images, params)
    fractions = _fractions(params, len(dataset.images))
    rule = {"seed": params.seed, "val_fraction": fractions["val"], "test_fraction": fractions["test"]}
    memory = read_split_memory(split_memory, rule)
    assigned = _assign(found, dataset.classes, params, fractions, memory)
    dealt = _dealt(dataset, found.images, assigned)
    parts = {name: dealt[name] for name in PARTS}
    leaks, dropped = _crossing(found, assigned), _dropped(found, assigned)
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
    write_split_memory(memory.with_parts(by_content), split_memory)
    tell(table(dealt))
    author = params.author_split if any(image.given_part for image in found.images) else None
    for line in (*notes(parts, params), *likeness(_together(found, assigned), author, leaks, dropped)):
        tell(printable(line))
    return {name: len(part.images) for name, part in dealt.items()}


def _alike(images: Sequence[AnnotatedImage], params: "SplitParams") -> _Alike:
    ordered = sorted(images, key=lambda image: image.file_name)
    # Neighbours that are near-duplicates too come from both.
    pairs = sorted({*alike(ordered, params.near_duplicate_distance), *consecutive(ordered, params.frame_run_distance)})
    return _Alike(ordered, pairs, [[ordered[i] for i in group] for group in groups(len(ordered), pairs)])


def _dealt(dataset: Dataset, images: Sequence[AnnotatedImage], assigned: Mapping[str, str]) -> dict[str, Dataset]:
    """What is in each part, and as `dropped` what is in none, where there is such."""
    by_part: dict[str, list[AnnotatedImage]] = {name: [] for name in PARTS}
    for image in images:
        by_part.setdefault(assigned.get(image.file_name, "dropped"), []).append(image)
    return {name: Dataset(dataset.root, dataset.classes, tuple(chosen)) for name, chosen in by_part.items()}


def _together(found: _Alike, assigned: Mapping[str, str]) -> list[int]:
    """How many images each group has of which none is elsewhere."""
    return [len(group) for group in found.groups if len({assigned.get(image.file_name) for image in group}) == 1]


def _fractions(params: "SplitParams", images: int) -> dict[str, float]:
    """The share of each part of so many images: of few, all are for training, whatever `params` ask for."""
    val, test = (0.0, 0.0) if images <= FEW_IMAGES else (params.val_fraction, params.test_fraction)
    return {"train": 1.0 - val - test, "val": val, "test": test}


def _assign(
    found: _Alike,
    classes: Sequence[str],
    params: "SplitParams",
    fractions: Mapping[str, float],
    memory: SplitMemory,
) -> dict[str, str]:
    """The part of each image, by file name."""
    if params.author_split == "ignore" or not any(image.given_part for image in found.images):
        kept = _remembered(found.groups, fractions, memory)
        dealt = deal(found.groups, classes, fractions, seed=params.seed, kept=kept)
        return _by_name(found.groups, dealt)
    assigned = _as_given(found, params.author_split)
    missing = {name: fractions[name] for name in ("val", "test") if name not in assigned.values()}
    if any(missing.values()):
        assigned |= _cut_from_train(found, assigned, classes, missing, params.seed, memory)
    return assigned


def _as_given(found: _Alike, mode: str) -> dict[str, str]:
    """The author's parts, and train where there is none.

    Of a group in several, test is the most protected, then val: `repair` puts all of it there, `drop` leaves out what
    is elsewhere.
    """
    given = {image.file_name: image.given_part or "train" for image in found.images}
    if mode == "keep":
        return given
    together = [
        next(name for name in ("test", "val", "train") if name in {given[image.file_name] for image in group})
        for group in found.groups
    ]
    protected = _by_name(found.groups, together)
    if mode == "repair":
        return protected
    left = {name: part for name, part in given.items() if part == protected[name]}
    if "train" in given.values() and "train" not in left.values():
        raise DataError(
            "split.author_split: drop leaves nothing to train on: every training image looks like one in val or test; "
            "lower split.near_duplicate_distance and split.frame_run_distance, or set split.author_split: ignore"
        )
    return left


def _cut_from_train(
    found: _Alike,
    assigned: Mapping[str, str],
    classes: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
    memory: SplitMemory,
) -> dict[str, str]:
    """New parts for the images in train: some go to the parts that the author did not make."""
    learned = [[image for image in group if assigned.get(image.file_name) == "train"] for group in found.groups]
    learned = [group for group in learned if group]
    shares = {"train": 1.0 - sum(fractions.values()), **fractions}
    kept = _remembered(learned, shares, memory)
    return _by_name(learned, deal(learned, classes, shares, seed=seed, kept=kept))


def _remembered(
    grouped: Sequence[Sequence[AnnotatedImage]], shares: Mapping[str, float], memory: SplitMemory
) -> dict[int, str]:
    """The part that groups were in, by their place; not where that part is to be empty, or is not dealt to."""
    known = {i: memory.part_of(group) for i, group in enumerate(grouped)}
    return {i: part for i, part in known.items() if part and shares.get(part)}


def _by_name(grouped: Sequence[Sequence[AnnotatedImage]], parts: Sequence[str]) -> dict[str, str]:
    return {image.file_name: part for group, part in zip(grouped, parts, strict=True) for image in group}


def _crossing(found: _Alike, assigned: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pairs that look alike and are in different parts, the closest first."""
    rows = []
    for first, second, distance in found.pairs:
        a, b = found.images[first], found.images[second]
        one, other = assigned.get(a.file_name), assigned.get(b.file_name)
        if one and other and one != other:
            rows.append({one: a.file_name, other: b.file_name, **_likeness(a, b, distance)})
    return sorted(rows, key=lambda row: (not row["same_content"], row["differing_bits"], str(row)))


def _dropped(found: _Alike, assigned: Mapping[str, str]) -> list[dict[str, Any]]:
    """The images in no part, each with the one that it looks most like: one that stays, if it looks like any itself."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for first, second, distance in found.pairs:
        pair = found.images[first], found.images[second]
        for image, other in (pair, pair[::-1]):
            if image.file_name not in assigned:
                place = {"image": image.file_name, "given_part": image.given_part or "train"}
                like = {"like": other.file_name, "like_in": assigned.get(other.file_name, "dropped")}
                rows.setdefault(image.file_name, []).append({**place, **like, **_likeness(image, other, distance)})

    def closeness(row: Mapping[str, Any]) -> tuple[bool, int, str]:
        return row["like_in"] == "dropped", row["differing_bits"], row["like"]

    return [min(rows[name], key=closeness) for name in sorted(rows)]


def _likeness(a: AnnotatedImage, b: AnnotatedImage, distance: int) -> dict[str, Any]:
    return {"differing_bits": distance, "same_content": bool(a.sha256) and a.sha256 == b.sha256}


def _figures(parts: Mapping[str, Dataset], found: _Alike, leaks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
