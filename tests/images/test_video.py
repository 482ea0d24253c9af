"""Frames of videos, upright as players show them."""

import av
import numpy as np
import pytest
from PIL import Image

from tasks.images.video import frames

ONE = 65536


def video(path, *, matrix=None, rotation=None, flips=(False, False), count=3):
    """Frames of 64 x 48 pixels with a red corner at the top left and a blue one at the top right, as stored."""
    image = Image.new("RGB", (64, 48))
    image.paste((255, 0, 0), (0, 0, 16, 16))
    image.paste((0, 0, 255), (48, 0, 64, 16))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if matrix is not None:
            stream.set_display_matrix(matrix)
        if rotation is not None:
            stream.set_display_rotation(rotation, *flips)
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return path


def corners(image):
    """Where red and blue are: `tl`, `tr`, `bl` or `br`."""
    pixels = np.asarray(image).astype(int)
    height, width, _ = pixels.shape
    places = {"tl": (4, 4), "tr": (4, width - 5), "bl": (height - 5, 4), "br": (height - 5, width - 5)}
    red = [name for name, (y, x) in places.items() if pixels[y, x, 0] > 150]
    blue = [name for name, (y, x) in places.items() if pixels[y, x, 2] > 150]
    return *red, *blue


def read_video(path):
    images = [image for _, image in frames(path, 1, max_megapixels=1)]
    (size,) = {image.size for image in images}
    (where,) = {corners(image) for image in images}
    return len(images), size, where


def test_a_video_without_a_matrix_is_as_stored(tmp_path):
    assert read_video(video(tmp_path / "a.mp4")) == (3, (64, 48), ("tl", "tr"))


@pytest.mark.parametrize(
    ("matrix", "size", "where"),
    [
        # What phones write of a film in portrait: its first row is shown at the right, from top to bottom.
        ([0, ONE, 0, -ONE, 0, 0, 48 * ONE, 0, 1 << 30], (48, 64), ("tr", "br")),
        ([-ONE, 0, 0, 0, -ONE, 0, 64 * ONE, 48 * ONE, 1 << 30], (64, 48), ("br", "bl")),
        ([0, -ONE, 0, ONE, 0, 0, 0, 64 * ONE, 1 << 30], (48, 64), ("bl", "tl")),
        ([46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30], (64, 48), ("tl", "tr")),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0], (64, 48), ("tl", "tr")),
    ],
    ids=["a quarter clockwise", "half", "a quarter back", "an eighth stays", "nothing stays"],
)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_frames_are_rotated_as_players_rotate_them(tmp_path, matrix, size, where, suffix):
    assert read_video(video(tmp_path / f"a.{suffix}", matrix=matrix)) == (3, size, where)


@pytest.mark.parametrize(
    ("rotation", "flips", "where"),
    [
        (0, (True, False), ("tr", "tl")),
        (0, (False, True), ("bl", "br")),
        (90, (False, False), ("bl", "tl")),
        (-90, (False, False), ("tr", "br")),
        (-90, (True, False), ("tl", "bl")),
        (90, (True, False), ("br", "tr")),
    ],
    ids=["mirrored", "upside down", "counterclockwise", "clockwise", "transposed", "transposed the other way"],
)
def test_frames_are_mirrored_after_rotation(tmp_path, rotation, flips, where):
    assert read_video(video(tmp_path / "a.mp4", rotation=rotation, flips=flips))[2] == where
