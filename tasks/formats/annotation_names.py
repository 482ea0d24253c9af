"""What annotation files are called in formats that have one for each image: like the image, with another suffix."""

from pathlib import PurePosixPath

from tasks.dataset.dataset import Dataset
from tasks.errors import FormatError
from tasks.ground.text import folded


def annotation_names(dataset: Dataset, suffix: str, *, reserved: str = "") -> list[str]:
    """For each image the posix path of its annotation file, relative as the image's is to `root`.

    Raises:
        FormatError: two images would have the same file, in any case and Unicode form, or one would be
            called `reserved`.
    """
    images: dict[str, str] = {}
    names = [PurePosixPath(image.file_name).with_suffix(suffix).as_posix() for image in dataset.images]
    for name, image in zip(names, dataset.images, strict=True):
        other = images.setdefault(folded(name), image.file_name)
        if other != image.file_name:
            raise FormatError(f"{other} and {image.file_name} would share the annotation file {name}: rename one image")
        if PurePosixPath(name).name == reserved:
            raise FormatError(f"{image.file_name}: {name} would be read as the list of classes: rename the image")
    return names
