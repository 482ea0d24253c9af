"""slices.json, beside the detections: on which of the test images the SavedModel is surely worse than on the rest."""

from pathlib import Path

from pydantic import Field

from tasks.artifacts.analysis import Interval
from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact

_NAME = "slices.json"
# A slice is named where chance alone, for as many slices as were looked at, would name one in at most this share of
# test sets.
LEVEL = 0.05


class SliceFigures(Artifact):
    """One slice.

    Attributes:
        divided_by: what divides the test images or their boxes: `brightness`, `size`, the name of a column.
        title: the slice, in words that follow "worse on".
        rule: what belongs to it; empty where the title says all.
        images: how many are in it, or show a box that is.
        boxes: how many are in it.
        mean_ap, ap50: of the slice, in 0..1, over the classes in it.
        mean_ap_interval, ap50_interval: where they lie for all images of the kind, 95 %; None where it cannot be given.
        shared_ap, rest_ap: mAP of the slice and of the rest, over the classes that both have; None where there is none.
        p_value: how likely chance alone would make the slice look so much worse, twice that as for intervals of 95 %,
            and corrected by Holm for the number of slices.
        surely_worse: whether it is below `LEVEL` and the slice is the worse one.
    """

    divided_by: str
    title: str
    rule: str = ""
    images: int
    boxes: int
    mean_ap: float = Field(alias="mAP")
    mean_ap_interval: Interval | None = Field(None, alias="mAP_interval")
    ap50: float = Field(alias="AP50")
    ap50_interval: Interval | None = Field(None, alias="AP50_interval")
    shared_ap: float | None = Field(None, alias="mAP_shared_classes")
    rest_ap: float | None = Field(None, alias="mAP_rest")
    p_value: float
    surely_worse: bool

    @property
    def difference(self) -> float | None:
        """The slice's mAP less that of the rest, over the classes that both have."""
        return None if self.shared_ap is None or self.rest_ap is None else self.shared_ap - self.rest_ap


class Slices(Artifact):
    """All slices that were tested, and sentences on those that were left out."""

    tested: list[SliceFigures] = Field(default_factory=list)
    left_out: list[str] = Field(default_factory=list)

    @property
    def surely_worse(self) -> list[SliceFigures]:
        """Those that are surely worse than the rest, the largest difference first."""
        named = [each for each in self.tested if each.surely_worse]
        return sorted(named, key=lambda each: each.difference or 0.0)


def read_slices(detections: Path) -> Slices:
    """The slices in the folder `detections`; none where the file is missing, as older versions wrote none.

    Raises:
        FormatError: it is not what the evaluate stage writes.
    """
    path = detections / _NAME
    return read_artifact(path, Slices, "evaluate") if path.is_file() else Slices()


def write_slices(detections: Path, slices: Slices) -> None:
    """Write them into the folder `detections`."""
    write_artifact(detections / _NAME, slices)
