"""Stage `split`: assign each image to train, val or test, so that no test image was learned from.

Similar images stay together: copies, near-duplicates, and neighbours in a run of numbered files. The split of the data
set's author is kept where there is one, and its leaks are listed, dropped or repaired (`split.author_split`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.split import write_dropped, write_leaks, write_split_metrics
from tasks.dataset.coco_json import read_stage_coco
from tasks.dataset.split_files import write_coco_splits
from tasks.dataset.tallies import class_rows, class_tallies, size_rows
from tasks.ground.files import replacing, write_json
from tasks.ground.text import print_text, printable
from tasks.partition.assign import assign_splits, split_fractions
from tasks.partition.division import divide, split_metrics
from tasks.partition.leaks import find_dropped, find_leaks
from tasks.partition.memory import read_split_memory, write_split_memory
from tasks.partition.similar import find_similar
from tasks.partition.summary import similarity_summary, split_table, split_warnings

if TYPE_CHECKING:
    from tasks.params import SplitParams


def split(
    params: "SplitParams", *, validated: Path, splits: Path, metrics_split: Path, plots_data: Path, split_memory: Path
) -> dict[str, int]:
    """Write the three COCO files, the leaks and the dropped images into `splits`, and figures to `metrics_split`.

    `plots_data` gets class_counts.json and box_sizes.json, rows for `dvc plots`.
    `split_memory` is read and written: see `tasks.partition.memory`.

    Raises:
        DataError: too few images for the fractions asked for, or none is left to train on.
        FormatError: `split_memory` is damaged.
    """
    dataset = read_stage_coco(validated, "validate")
    similar = find_similar(dataset.images, params)
    fractions = split_fractions(params, len(dataset.images))
    rule = {"seed": params.seed, "val_fraction": fractions["val"], "test_fraction": fractions["test"]}
    memory = read_split_memory(split_memory, rule)
    assigned = assign_splits(similar, dataset.classes, params, fractions, memory)
    division = divide(dataset, similar, assigned)
    leaks, dropped = find_leaks(similar, assigned), find_dropped(similar, assigned)
    with replacing(splits, own_folder=True) as beside:
        beside.mkdir()
        write_coco_splits(division.splits, beside)
        write_leaks(leaks, beside)
        write_dropped(dropped, beside)
    write_split_metrics(split_metrics(division, similar, leaks), metrics_split)
    with replacing(plots_data, own_folder=True) as beside:
        beside.mkdir()
        write_json(beside / "class_counts.json", class_rows(class_tallies(division.splits)))
        write_json(beside / "box_sizes.json", size_rows(division.splits))
    write_split_memory(memory.with_splits(division.split_by_hash), split_memory)
    print_text(split_table(division.with_dropped))
    lines = similarity_summary(similar, assigned, params.author_split, leaks, dropped)
    for line in (*split_warnings(division.splits, params), *lines):
        print_text(printable(line))
    return {name: len(dataset.images) for name, dataset in division.with_dropped.items()}
