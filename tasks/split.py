"""Stage `split`: deal the images out to train, val and test, so that what is tested on was not learned from.

Images that look alike stay together: copies, near-duplicates, and neighbours in a run of numbered files. Where the data
set's author made a split, that one is taken, and what crosses it is reported or repaired (`split.author_split`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.annotation.dataset import AnnotatedImage, Dataset
from tasks.annotation.near_duplicates import Pair, alike, consecutive, groups
from tasks.annotation.stratify import deal
from tasks.annotation.tallies import FEW_IMAGES, class_rows, size_rows
from tasks.files import replacing, write_json
from tasks.formats.coco import read_coco, write_coco
from tasks.formats.split_memory import SplitMemory, read_split_memory, write_split_memory
from tasks.text import printable, tell

if TYPE_CHECKING:
    from tasks.params import SplitParams

PARTS = ("train", "val", "test")
_SHOWN = 10


class _Alike(NamedTuple):
    """Images in the order of their names, which pairs look alike, and the groups that these make."""

    images: Sequence[AnnotatedImage]
    pairs: Sequence[Pair]
    groups: Sequence[Sequence[AnnotatedImage]]


def split(
    params: "SplitParams", *, validated: Path, splits: Path, metrics_split: Path, plots_data: Path, split_memory: Path
) -> dict[str, Any]:
    """Write `splits`/train.json, val.json and test.json (COCO JSON), leaks.json, and figures of it to `metrics_split`.

    `plots_data` gets class_counts.json and box_sizes.json, rows for `dvc plots`.
    `split_memory` is read and written: see `tasks.formats.split_memory`.

    Raises:
        DataError: too few images for the fractions asked for.
        FormatError: `split_memory` is damaged.
    """
    dataset = read_coco(validated)
    found = _alike(dataset.images, params)
    fractions = _fractions(params, len(dataset.images))
    rule = {"seed": params.seed, "val_fraction": fractions["val"], "test_fraction": fractions["test"]}
    memory = read_split_memory(split_memory, rule)
    assigned = _assign(found, dataset.classes, params, fractions, memory)
    parts = {
        name: Dataset(dataset.root, dataset.classes, tuple(i for i in found.images if assigned[i.file_name] == name))
        for name in PARTS
    }
    leaks = _crossing(found, assigned)
    with replacing(splits) as beside:
        beside.mkdir()
        for name, part in parts.items():
            write_coco(part, beside / f"{name}.json")
        write_json(beside / "leaks.json", leaks)
    figures = _figures(parts, found, leaks)
    write_json(metrics_split, figures)
    with replacing(plots_data) as beside:
        beside.mkdir()
        write_json(beside / "class_counts.json", class_rows(parts))
        write_json(beside / "box_sizes.json", size_rows(parts))
    by_content = {image.sha256: assigned[image.file_name] for image in found.images if image.sha256}
    write_split_memory(memory.with_parts(by_content), split_memory)
    tell(_table(parts))
    for line in (*_notes(parts, params), *_told(found, leaks, params)):
        tell(printable(line))
    return {name: len(part.images) for name, part in parts.items()}


def _alike(images: Sequence[AnnotatedImage], params: "SplitParams") -> _Alike:
    ordered = sorted(images, key=lambda image: image.file_name)
    pairs = [*alike(ordered, params.near_duplicate_distance), *consecutive(ordered, params.frame_run_distance)]
    return _Alike(ordered, pairs, [[ordered[i] for i in group] for group in groups(len(ordered), pairs)])


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
    assigned = _as_given(found, repair=params.author_split == "repair")
    missing = {name: fractions[name] for name in ("val", "test") if name not in assigned.values()}
    if any(missing.values()):
        assigned |= _cut_from_train(found, assigned, classes, missing, params.seed, memory)
    return assigned


def _as_given(found: _Alike, *, repair: bool) -> dict[str, str]:
    """The author's parts, and train where there is none; repaired, a group goes where its most protected image is."""
    given = {image.file_name: image.given_part or "train" for image in found.images}
    if not repair:
        return given
    together = [
        next(name for name in ("test", "val", "train") if name in {given[image.file_name] for image in group})
        for group in found.groups
    ]
    return _by_name(found.groups, together)


def _cut_from_train(
    found: _Alike,
    assigned: Mapping[str, str],
    classes: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
    memory: SplitMemory,
) -> dict[str, str]:
    """New parts for the images in train: some go to the parts that the author did not make."""
    learned = [[image for image in group if assigned[image.file_name] == "train"] for group in found.groups]
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
        one, other = assigned[a.file_name], assigned[b.file_name]
        if one != other:
            same = bool(a.sha256) and a.sha256 == b.sha256
            rows.append({one: a.file_name, other: b.file_name, "differing_bits": distance, "same_content": same})
    return sorted(rows, key=lambda row: (not row["same_content"], row["differing_bits"], str(row)))


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


def _told(found: _Alike, leaks: Sequence[Mapping[str, Any]], params: "SplitParams") -> list[str]:
    sizes = [len(group) for group in found.groups if len(group) > 1]
    lines = [f"{sum(sizes)} images look like others and stay together with them, groups: {len(sizes)}"] if sizes else []
    if any(image.given_part for image in found.images):
        done = {"ignore": "is ignored", "keep": "is kept", "repair": "is kept, but for what looks alike across it"}
        lines.append(f"the author's split {done[params.author_split]} (split.author_split: {params.author_split})")
    if leaks:
        lines.append(f"warning: {len(leaks)} pairs look alike and are in different parts; figures will flatter:")
        for row in leaks[:_SHOWN]:
            files = ", ".join(f"{row[name]} ({name})" for name in PARTS if name in row)
            what = "the same content" if row["same_content"] else f"{row['differing_bits']} of 256 bits differ"
            lines.append(f"  {files}: {what}")
        lines.append("  set split.author_split: repair, or look at them: data/splits/leaks.json")
    return lines


def _table(parts: Mapping[str, Dataset]) -> str:
    classes = next(iter(parts.values())).classes
    rows = [["part", "images", "boxes", *map(printable, classes)]]
    for name, part in parts.items():
        counts = part.box_counts()
        rows.append([name, str(len(part.images)), str(counts.total()), *(str(counts[c]) for c in classes)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _notes(parts: Mapping[str, Dataset], params: "SplitParams") -> list[str]:
    """What a person should know before trusting figures from this split."""
    lost = {"train": "nothing is learned", "val": "no checkpoint is chosen by it", "test": "no figures will come of it"}
    asked = {"train": 1.0, "val": params.val_fraction, "test": params.test_fraction}
    notes = _notes_of_few(parts, asked)
    for name, part in parts.items():
        if not part.images:
            notes.append(f"note: {name} is empty{'' if asked[name] else ', as asked for'}: {lost[name]}")
            continue
        missing = [c for c, count in part.box_counts().items() if count == 0]
        if missing:
            notes.append(
                f"warning: no {printable(', '.join(missing))} in {name}; bring more images of it, "
                "or try another split.seed"
            )
    return notes


def _notes_of_few(parts: Mapping[str, Dataset], asked: Mapping[str, float]) -> list[str]:
    """What few images do not allow, and what to do instead; nothing where there are more."""
    images, tested = sum(len(part.images) for part in parts.values()), len(parts["test"].images)
    if images > FEW_IMAGES:
        return []
    uncut = [name for name in ("val", "test") if asked[name] and not parts[name].images]
    if not uncut and not tested:
        return [f"note: {images} images in all: docs/few-images.md says how to see what a model has learned from them"]
    why = [f"no {' and no '.join(uncut)} part is cut from fewer than {FEW_IMAGES + 1}"] if uncut else []
    why += [f"figures of {tested} test images say next to nothing"] if tested else []
    return [
        f"warning: {images} images in all: {', and '.join(why)}. Look at what the model finds in new images, or have "
        "each image scored by a model that learned from the others: python -m studies.leave_one_out "
        "(docs/few-images.md)"
    ]
