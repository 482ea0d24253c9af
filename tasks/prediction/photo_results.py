"""The results of `predict-folder`: COCO JSON for each photo, `a/cat.jpg.json` of a/cat.jpg, and a picture if wanted.

The JSON is written last: where it is, all of the photo's result is. It holds the SHA-256 of the photo that it is of.
"""

import errno
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from tasks.errors import FormatError
from tasks.ground.files import read_json, replacing, write_json
from tasks.ground.text import quoted
from tasks.prediction.ledger import Entry, Made, Stamp
from tasks.prediction.writer import encodable

_MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Photo:
    """A photo to detect in.

    Attributes:
        name: relative to the folder of photos, with forward slashes.
        path: where it is.
        stamp: from before its content was read.
        sha256: of its content.
    """

    name: str
    path: Path
    stamp: Stamp
    sha256: str


class _Info(BaseModel):
    sha256: str
    model: str
    score_threshold: float = Field(ge=0.0, le=1.0)


class _Image(BaseModel):
    file_name: str
    drawn: str | None


class _Annotation(BaseModel):
    category_id: int


class _Category(BaseModel):
    id: int
    name: str


class PhotoResult(BaseModel):
    """What is used of a result; any more of it stays as it is."""

    info: _Info
    images: list[_Image] = Field(min_length=1, max_length=1)
    annotations: list[_Annotation]
    categories: list[_Category]

    @property
    def has_picture(self) -> bool:
        """Whether a picture with the boxes belongs to it."""
        return self.images[0].drawn is not None


def result_path(out: Path, name: str) -> Path:
    """The result of the photo `name`."""
    return out / f"{name}.json"


def drawn_path(out: Path, name: str) -> Path:
    """The picture with the boxes of the photo `name`."""
    return out / f"{name}.jpg"


def obstacle(out: Path, name: str, *, drawn: bool) -> str | None:
    """Why the result of the photo `name` cannot be written where it belongs; None where nothing stands there.

    A folder of photos may be called as the result of a photo is: `a.jpg.json/b.jpg` beside `a.jpg`.
    """
    for path in (result_path(out, name), *((drawn_path(out, name),) if drawn else ())):
        if path.is_dir() and any(path.iterdir()):
            return f"its result would be called {quoted(path.name)}, as a folder of results is: rename the photo"
    for folder in result_path(out, name).relative_to(out).parents:
        path = out / folder
        if not path.is_dir() and (path.exists() or path.is_symlink()):
            return f"the folder of its result would be called {quoted(folder.name)}, as a file is: rename its folder"
    return None


def found_result(photo: Photo, out: Path) -> Entry | None:
    """The entry of a result of this photo that a killed run wrote and did not take down; None without one."""
    result = _whole_result(out, photo.name, photo.sha256)
    if result is None:
        return None
    return _entry(photo, result)


def copy_result(photo: Photo, source: Entry, out: Path) -> Entry | None:
    """Give `photo` the result of `source`, a photo of the same content; None where that is there no more."""
    result = _whole_result(out, source.name, photo.sha256)
    if result is None:
        return None
    content = _content(result_path(out, source.name))
    image = content["images"][0]
    image["file_name"] = encodable(photo.name)
    try:
        if obstacle(out, photo.name, drawn=result.has_picture):
            return None
        if result.has_picture:
            image["drawn"] = encodable(f"{photo.name}.jpg")
            with replacing(drawn_path(out, photo.name)) as beside:
                shutil.copyfile(drawn_path(out, source.name), beside)
        write_json(result_path(out, photo.name), content)
    # Edited by others: NaN, or half of a pair of surrogates.
    except ValueError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise
    return _entry(photo, result)


def _entry(photo: Photo, result: PhotoResult) -> Entry:
    names = {category.id: category.name for category in result.categories}
    boxes = dict(Counter(names.get(each.category_id, "unknown") for each in result.annotations))
    made = Made(result.info.model, result.info.score_threshold, result.has_picture)
    return Entry(name=photo.name, sha256=photo.sha256, stamp=photo.stamp, made=made, boxes=boxes)


def _whole_result(out: Path, name: str, sha256: str) -> PhotoResult | None:
    """The result of the photo `name`, with its picture if it has one; None where there is none of that content."""
    result = read_result(result_path(out, name))
    if result is None or result.info.sha256 != sha256:
        return None
    return None if result.has_picture and not drawn_path(out, name).is_file() else result


def remove_result(out: Path, name: str) -> None:
    """Remove what is of an earlier content of a photo that cannot be read any more: it would pass for the present."""
    path = result_path(out, name)
    result = read_result(path)
    if result is not None:
        path.unlink()
        if result.has_picture:
            drawn_path(out, name).unlink(missing_ok=True)


def remove_old_drawing(out: Path, name: str, old: PhotoResult | None) -> int:
    """Remove the picture of `old`, which a result without one replaced; how many files were removed, 0 or 1."""
    if old is None or not old.has_picture or not drawn_path(out, name).exists():
        return 0
    drawn_path(out, name).unlink()
    return 1


def read_result(path: Path) -> PhotoResult | None:
    """The result at `path`; None where there is none, or something else."""
    try:
        return PhotoResult.model_validate(_content(path))
    except (OSError, FormatError, ValidationError):
        return None


def _content(path: Path) -> Any:
    return read_json(path, "a result of predict-folder", max_bytes=_MAX_BYTES)
