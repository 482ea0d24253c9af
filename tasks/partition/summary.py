"""What `split` prints: a table of the splits, warnings about them, and the similar images."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tasks.artifacts.split import DroppedImage, Leak
from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import FEW_IMAGES
from tasks.ground.text import printable
from tasks.partition.similar import SimilarImages

if TYPE_CHECKING:
    from tasks.params import SplitParams

_MOST_LISTED = 10
_LACK = {"train": "nothing is learned", "val": "no checkpoint is chosen by it", "test": "there will be no test figures"}
_AUTHOR_SPLIT = {
    "ignore": "is ignored",
    "keep": "is kept",
    "drop": "is kept, without the images that leak across it",
    "repair": "is kept, except for the images that leak across it",
}


def split_table(datasets: Mapping[str, Dataset]) -> str:
    """A row for each split: images, boxes, and boxes of each class."""
    classes = next(iter(datasets.values())).classes
    rows = [["split", "images", "boxes", *map(printable, classes)]]
    for name, dataset in datasets.items():
        counts = dataset.box_counts()
        rows.append([name, str(len(dataset.images)), str(counts.total()), *(str(counts[c]) for c in classes)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def split_warnings(splits: Mapping[str, Dataset], params: "SplitParams") -> list[str]:
    """What a person should know before trusting figures from these splits."""
    fractions = {"train": 1.0, "val": params.val_fraction, "test": params.test_fraction}
    lines = _few_images_warnings(splits, fractions)
    for name, dataset in splits.items():
        if not dataset.images:
            lines.append(f"note: {name} is empty{'' if fractions[name] else ', as asked for'}: {_LACK[name]}")
            continue
        missing = [c for c, count in dataset.box_counts().items() if count == 0]
        if missing:
            lines.append(
                f"warning: no {printable(', '.join(missing))} in {name}; add images of it, or try another split.seed"
            )
    return lines


def _few_images_warnings(splits: Mapping[str, Dataset], fractions: Mapping[str, float]) -> list[str]:
    """What too few images do not allow, and what to do instead; nothing where there are enough."""
    images, tested = sum(len(split.images) for split in splits.values()), len(splits["test"].images)
    if images > FEW_IMAGES:
        return []
    missing = [name for name in ("val", "test") if fractions[name] and not splits[name].images]
    if not missing and not tested:
        return [f"note: only {images} images: docs/few-images.md says how to see what a model has learned from them"]
    reasons = [f"no {' and no '.join(missing)} split is made of fewer than {FEW_IMAGES + 1} images"] if missing else []
    reasons += [f"figures from {tested} test images mean almost nothing"] if tested else []
    return [
        f"warning: only {images} images: {', and '.join(reasons)}. Look at what the model finds in new images, or "
        "score each image with a model that learned from the others: python -m studies.leave_one_out "
        "(docs/few-images.md)"
    ]


def similarity_summary(
    similar: SimilarImages,
    assigned: Mapping[str, str],
    author_split: str,
    leaks: Sequence[Leak],
    dropped: Sequence[DroppedImage],
) -> list[str]:
    """Which images are similar, and what was done about them.

    Args:
        similar: the images and the groups they make.
        assigned: the split of each image, by file name.
        author_split: `split.author_split`; it is mentioned where the data came with a split.
        leaks: pairs of similar images in different splits.
        dropped: images in no split.
    """
    lines = []
    splits_of_groups = [{assigned.get(image.file_name) for image in group} for group in similar.groups]
    together = [len(group) for group, splits in zip(similar.groups, splits_of_groups, strict=True) if len(splits) == 1]
    sizes = [size for size in together if size > 1]
    if sizes:
        lines.append(f"{sum(sizes)} images are similar to others and stay with them (groups: {len(sizes)})")
    if any(image.given_split for image in similar.images):
        lines.append(f"the author's split {_AUTHOR_SPLIT[author_split]} (split.author_split: {author_split})")
    if dropped:
        lines.append(f"{len(dropped)} images are in no split, because they are similar to images in test or val:")
        for row in dropped[:_MOST_LISTED]:
            lines.append(f"  {row.image} ({row.given_split}): similar to {row.like} ({row.like_in}), {row.similarity}")
        lines.append("  all of them: data/splits/dropped.json")
    if leaks:
        lines.append(
            f"warning: {len(leaks)} train/val/test leaks (pairs of similar images in different splits); the figures "
            "will be too good:"
        )
        for leak in leaks[:_MOST_LISTED]:
            files = ", ".join(f"{name} ({split})" for split, name in leak.files)
            lines.append(f"  {files}: {leak.similarity}")
        lines.append("  set split.author_split: drop or repair (docs/splits.md); all of them: data/splits/leaks.json")
    return lines
