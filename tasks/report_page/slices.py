"""Where the detector is surely worse than on the rest of the test images: the tables of slices."""

from dataclasses import dataclass

from tasks.artifacts.slices import SliceFigures, Slices
from tasks.ground.text import counted


@dataclass(frozen=True)
class SliceSection:
    """All slices.

    Attributes:
        worse: those that are surely worse, the largest difference first.
        tested: all that were tested.
        looked_at: how many, in words.
        left_out: those that were not tested, and why.
    """

    worse: list[SliceFigures]
    tested: list[SliceFigures]
    looked_at: str
    left_out: list[str]


def slice_section(slices: Slices) -> SliceSection | None:
    """The slices of a run; None where none were looked at."""
    if not slices.tested and not slices.left_out:
        return None
    return SliceSection(slices.surely_worse, slices.tested, counted(len(slices.tested), "slice"), slices.left_out)
