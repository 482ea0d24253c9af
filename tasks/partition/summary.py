"""What `split` tells a person: a table of the parts, what to know of them, and what looks alike."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import FEW_IMAGES
from tasks.ground.text import printable

if TYPE_CHECKING:
    from tasks.params import SplitParams

_SHOWN = 10
_DONE = {
    "ignore": "is ignored",
    "keep": "is kept",
    "drop": "is kept, without what looks alike across it",
    "repair": "is kept, but for what looks alike across it",
}


def table(parts: Mapping[str, Dataset]) -> str:
    """A row for each part: images, boxes, and boxes of each class."""
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


def notes(parts: Mapping[str, Dataset], params: "SplitParams") -> list[str]:
    """What a person should know before trusting figures from this split."""
    lost = {"train": "nothing is learned", "val": "no checkpoint is chosen by it", "test": "no figures will come of it"}
    asked = {"train": 1.0, "val": params.val_fraction, "test": params.test_fraction}
    told = _of_few(parts, asked)
    for name, part in parts.items():
        if not part.images:
            told.append(f"note: {name} is empty{'' if asked[name] else ', as asked for'}: {lost[name]}")
            continue
        missing = [c for c, count in part.box_counts().items() if count == 0]
        if missing:
            told.append(
                f"warning: no {printable(', '.join(missing))} in {name}; bring more images of it, "
                "or try another split.seed"
            )
    return told


def _of_few(parts: Mapping[str, Dataset], asked: Mapping[str, float]) -> list[str]:
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


def likeness(
    together: Sequence[int],
    author: str | None,
    leaks: Sequence[Mapping[str, Any]],
    dropped: Sequence[Mapping[str, Any]],
) -> list[str]:
    """What looks alike, and what was done about it.

    Args:
        together: how many images each group has that is in one part.
        author: `split.author_split`, if the data came with a split.
        leaks: pairs in different parts, the rows of leaks.json.
        dropped: images in no part, the rows of dropped.json.
    """
    sizes = [size for size in together if size > 1]
    lines = [f"{sum(sizes)} images look like others and stay together with them, groups: {len(sizes)}"] if sizes else []
    if author:
        lines.append(f"the author's split {_DONE[author]} (split.author_split: {author})")
    if dropped:
        lines.append(f"{len(dropped)} images are in no part, because they look like images in test or val:")
        for row in dropped[:_SHOWN]:
            lines.append(
                f"  {row['image']} ({row['given_split']}): like {row['like']} ({row['like_in']}), {how_alike(row)}"
            )
        lines.append("  all of them: data/splits/dropped.json")
    if leaks:
        lines.append(f"warning: {len(leaks)} pairs look alike and are in different parts; figures will flatter:")
        for row in leaks[:_SHOWN]:
            files = ", ".join(f"{row[name]} ({name})" for name in ("train", "val", "test") if name in row)
            lines.append(f"  {files}: {how_alike(row)}")
        lines.append("  set split.author_split: drop or repair (docs/splits.md); all of them: data/splits/leaks.json")
    return lines


def how_alike(row: Mapping[str, Any]) -> str:
    """How alike a pair is that the split stage wrote to leaks.json or dropped.json, in words."""
    return "the same content" if row.get("same_content") else f"{row.get('differing_bits')} of 256 bits differ"
