"""The annotation formats that are written, with the functions that write them.

Functions stand as text, `module:function`: the command line takes its choices from here and must not pay for numpy and
lxml.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.ground.imports import import_object

if TYPE_CHECKING:
    from tasks.dataset.dataset import Dataset


@dataclass(frozen=True)
class WrittenFormat:
    """One format.

    Attributes:
        function: `module:function`; called with the data set and the path to write.
        is_folder: whether the format is a folder of files rather than one file.
    """

    function: str
    is_folder: bool = False

    def writer(self) -> "Callable[[Dataset, Path], None]":
        """The function itself."""
        writer: Callable[[Dataset, Path], None] = import_object(self.function)
        return writer


WRITTEN_FORMATS = {
    "voc": WrittenFormat("tasks.formats.pascal_voc:write_voc_folder", is_folder=True),
    "csv": WrittenFormat("tasks.formats.csv:write_csv"),
    "coco": WrittenFormat("tasks.dataset.coco_json:write_coco"),
    "yolo": WrittenFormat("tasks.formats.yolo_writing:write_yolo", is_folder=True),
}
