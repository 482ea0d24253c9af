"""Frames of video files that strangers made, by FFmpeg's libraries (PyAV)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tasks.errors import FormatError

# FFmpeg's demuxer for each suffix. It must be named: guessing, FFmpeg also accepts playlists, and opens their files.
FORMAT_OF_VIDEO = {".mp4": "mov", ".m4v": "mov", ".mov": "mov", ".mkv": "matroska", ".webm": "matroska", ".avi": "avi"}

# How players turn and mirror a frame, by the signs of a, b, c and d in its display matrix: a pixel at (x, y) is shown
# at (ax + cy, bx + dy), but for a shift (ISO/IEC 14496-12, 8.3.2; FFmpeg's libavutil/display.h).
_TURNS = {
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


class Declared(NamedTuple):
    """How many frames a file declares, or an estimate, and their size in pixels; zeros where it declares nothing."""

    frames: int = 0
    width: int = 0
    height: int = 0


def declared(path: Path) -> Declared:
    """What the file's header says; zeros where it cannot be read."""
    try:
        with _open_video(path) as (container, stream):
            count = int(stream.frames)
            if not count:
                seconds = (container.duration or 0) / 1_000_000
                count = int(seconds * float(stream.average_rate or 0))
            return Declared(count, stream.codec_context.width, stream.codec_context.height)
    except FormatError:
        return Declared()


def frames(path: Path, every: int, *, max_megapixels: float) -> Iterator[tuple[int, Image.Image]]:
    """Every `every`th frame, from the first, with its number; RGB, upright as players show it.

    Raises:
        FormatError: it is no video in the format of its suffix, a frame is larger than `max_megapixels`, or the file is
            damaged: frames before the damage have been yielded.
    """
    with _open_video(path) as (container, stream):
        # Before decoding: a header may claim a frame that no memory holds.
        if stream.codec_context.width * stream.codec_context.height > max_megapixels * 1e6:
            raise FormatError(f"{path}: frames of more than {max_megapixels:g} megapixels")
        stream.thread_type = "AUTO"
        for number, frame in enumerate(container.decode(stream)):
            if number % every == 0:
                yield number, _turn_upright(frame)


def _turn_upright(frame: Any) -> Image.Image:
    """The frame's pixels as its display matrix says; an angle other than a right one is left to the player."""
    image: Image.Image = frame.to_image()
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return image
    # Nine numbers in rows of three, of which a and b, c and d come first; 1 is written as 65536.
    a, b, _, c, d = np.sign(np.rint(np.frombuffer(matrix, dtype=np.int32)[:5] / 65536)).astype(int).tolist()
    turn = _TURNS.get((a, b, c, d))
    return image if turn is None else image.transpose(turn)


@contextmanager
def _open_video(path: Path) -> Iterator[tuple[Any, Any]]:
    import av  # noqa: PLC0415 - loads FFmpeg, which only videos need

    try:
        kind = FORMAT_OF_VIDEO.get(path.suffix.lower())
        with av.open(str(path), format=kind, options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video:
                raise FormatError(f"{path}: it has no pictures, only sound")
            yield container, container.streams.video[0]
    except (av.FFmpegError, ValueError, IndexError, MemoryError) as error:
        raise FormatError(f"{path}: cannot be read as a video: {error}; convert it to MP4 with H.264") from error
