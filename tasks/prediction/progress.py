"""The progress bar of `predict`: it counts images, and where large ones are cut, tiles too."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tqdm import tqdm

from tasks.errors import FormatError
from tasks.ground.text import counted, printable
from tasks.images.image_file import stored_size
from tasks.images.video import declared
from tasks.prediction.inputs import Unreadable, is_video
from tasks.prediction.slices import Slicing

# An image of so many tiles takes a hundred times as long as one that is not cut: a minute and more on a few cores.
_MANY_TILES = 100


@dataclass(frozen=True)
class _Work:
    """What is to be detected in: images, frames of a video among them, and the tiles of each."""

    images: int
    width: int
    height: int
    tiles: int

    @property
    def steps(self) -> int:
        return self.images * (1 + self.tiles)


class Progress:
    """A bar for a run; with `slicing`, a step is an image or a tile, and the images are counted beside it."""

    def __init__(self, paths: Sequence[Path], every: int, slicing: Slicing | None) -> None:
        """Look into the headers of `paths`, of whose videos every `every`th frame is taken; print how many tiles."""
        self._work = {str(path): _work(path, every, slicing) for path in paths}
        self._slicing = slicing
        self._images = sum(each.images for each in self._work.values())
        self._done = 0
        if slicing and any(each.tiles for each in self._work.values()):
            tqdm.write(printable(self._tiles_in_words(slicing)))
        steps = sum(each.steps for each in self._work.values())
        self._bar = tqdm(total=steps, desc="predict", unit="tile" if slicing else "image")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()

    def add_steps(self, count: int) -> None:
        """Count images and tiles as detected in; for a `SlicingDetector`."""
        self._bar.update(count)

    def add_images(self, count: int, unreadable: Sequence[Unreadable]) -> None:
        """Count images as done."""
        self._done += count + len(unreadable)
        if self._slicing is None:
            self._bar.update(count + len(unreadable))
            return
        self._bar.set_postfix_str(f"{self._done} of {counted(self._images, 'image')}", refresh=False)
        for each in unreadable:
            # Of a video, only the rest is unreadable: its frames until then were counted.
            work = self._work[each.name]
            self._bar.update(1 if work.images != 1 else work.steps)

    def _tiles_in_words(self, slicing: Slicing) -> str:
        name, most = max(self._work.items(), key=lambda item: item[1].tiles)
        cut = sum(each.images for each in self._work.values() if each.tiles)
        tiles = sum(each.images * each.tiles for each in self._work.values())
        images = f"{cut} of {self._images} images" if cut < self._images else counted(cut, "image")
        words = f"cutting {images} into {counted(tiles, 'tile')}"
        if most.tiles < _MANY_TILES:
            return words
        return (
            f"{words}: {name} ({most.width} x {most.height} pixels) into {most.tiles}, which takes as long as "
            f"{most.tiles + 1} images; a larger --slice than {slicing.side_px} is faster"
        )


def _work(path: Path, every: int, slicing: Slicing | None) -> _Work:
    if is_video(path):
        frames, width, height = declared(path)
        images = -(-frames // every)
    else:
        images = 1
        width, height = _size(path) if slicing else (0, 0)
    return _Work(images, width, height, len(slicing.tiles(width, height)) if slicing else 0)


def _size(path: Path) -> tuple[int, int]:
    try:
        return stored_size(path)
    except FormatError:
        return 0, 0  # Whoever reads it reports why.
