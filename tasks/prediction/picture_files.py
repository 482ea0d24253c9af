"""Predictions as pictures: a JPEG each, or one animated GIF."""

from collections.abc import Sequence

from PIL import Image

from tasks.ground.files import replacing
from tasks.ground.text import counted
from tasks.prediction.inputs import Unreadable
from tasks.prediction.writer import Output, Prediction, save_bytes

_GIF_SIDE_PX = 480
_MAX_GIF_FRAMES = 600


class PictureWriter:
    """A JPEG of each, with its boxes."""

    draws = False
    encodes = True

    def __init__(self, output: Output) -> None:
        """Write into the folder itself."""
        self._folder = output.folder
        self._count = 0

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        save_bytes(prediction.jpeg, self._folder / f"{prediction.stem}.jpg")
        self._count += 1

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        return counted(self._count, "picture")


class GifWriter:
    """One animated GIF of all pictures in their order, each fitted into the size of the first."""

    draws = True
    encodes = False

    def __init__(self, output: Output) -> None:
        """Write detections.gif when closed."""
        self._path = output.folder / "detections.gif"
        self._frame_ms = round(1000 / output.frames_per_s)
        self._frames: list[Image.Image] = []
        self._left_out = 0

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        if len(self._frames) == _MAX_GIF_FRAMES:
            self._left_out += 1
            return
        small = prediction.drawn.copy()
        size = self._frames[0].size if self._frames else (_GIF_SIDE_PX, _GIF_SIDE_PX)
        small.thumbnail(size, Image.Resampling.LANCZOS)
        if self._frames and small.size != size:
            fitted = Image.new("RGB", size)
            fitted.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
            small = fitted
        self._frames.append(small.quantize(dither=Image.Dither.FLOYDSTEINBERG))

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        if not self._frames:
            return "no GIF, for want of pictures"
        first, *others = self._frames
        with replacing(self._path) as beside:
            first.save(
                beside, format="GIF", save_all=True, append_images=others, duration=self._frame_ms, loop=0, disposal=1
            )
        left_out = f"; the other {self._left_out} would make it too large" if self._left_out else ""
        return f"{self._path.name} of {counted(len(self._frames), 'picture')}{left_out}"
