"""Small pictures of images of earlier runs, which may have changed or gone since."""

import base64
from collections.abc import Iterable
from pathlib import Path

from tasks.dataset.dataset import AnnotatedImage
from tasks.errors import FormatError
from tasks.ground.files import sha256_of
from tasks.images.drawing import thumbnail

_PICTURE_PX, _MAX_MEGAPIXELS = 400, 250


def picture(image: AnnotatedImage, paths: Iterable[Path]) -> str:
    """A small JPEG in Base64 of the first of `paths` that has the content of `image`; empty where none has.

    An image with other content is no picture of these boxes; and a file from elsewhere may name any path.
    """
    for path in paths:
        try:
            if path.is_file() and sha256_of(path) == image.sha256:
                jpeg = thumbnail(path, _PICTURE_PX, max_megapixels=_MAX_MEGAPIXELS).jpeg
                return base64.b64encode(jpeg).decode("ascii")
        except (FormatError, OSError):
            continue
    return ""
