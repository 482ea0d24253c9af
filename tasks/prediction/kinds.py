"""The kinds of files that `predict` writes, with the class that writes each.

Classes stand as text, `module:class`: the command line takes its choices from here and must not pay for numpy and
Pillow.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.ground.imports import import_object

if TYPE_CHECKING:
    from tasks.prediction.writer import Output, Writer

# In the order in which they are written and reported.
KINDS = {
    "pictures": "tasks.prediction.picture_files:PictureWriter",
    "json": "tasks.prediction.json_file:JsonWriter",
    "voc": "tasks.prediction.annotation_files:VocWriter",
    "csv": "tasks.prediction.annotation_files:CsvWriter",
    "gif": "tasks.prediction.picture_files:GifWriter",
}


def writers_for(kinds: Sequence[str], output: "Output") -> "list[Writer]":
    """A writer for each of `kinds`, which are keys of `KINDS`, in the order of that table."""
    return [import_object(reference)(output) for kind, reference in KINDS.items() if kind in kinds]
