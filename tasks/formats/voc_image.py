"""Which image a Pascal VOC file is about: it is called like the image, and names it by `<filename>` too."""

from pathlib import Path, PurePosixPath

from tasks.dataset.dataset import Problem
from tasks.ground.files import relative_to_here
from tasks.ground.text import folded, quoted
from tasks.images.image_finder import FoundImage, ImageFinder


def find_voc_image(finder: ImageFinder, annotation: Path, written: str) -> FoundImage:
    """The image that the XML file `annotation` names by `<filename>`, `written`.

    The one that is called like the XML file is taken where there is no image of the written name. Where there are both,
    one of the names is wrong, as in sets whose files were renumbered: a problem that stops, for nothing shows which.
    """
    named = finder.find(annotation, written)
    name = PurePosixPath(written.replace("\\", "/"))
    is_ambiguous = named.problem is not None and named.problem.kind == "ambiguous_image"
    is_refused = named.path is None and finder.has_name(name.name)
    if is_ambiguous or is_refused or not name.name or _is_called_like(annotation, name):
        return named
    own = finder.find_beside(annotation, name.suffix)
    if own is None or own == named.path:
        return named
    where, beside = annotation.as_posix(), relative_to_here(own)
    if named.path is None:
        detail = f"<filename> is {quoted(written)}; the image is {beside}, called like the XML file"
        return FoundImage(own, Problem("renamed_image", where, detail, "kept"))
    detail = f"<filename> is {quoted(written)}, and {relative_to_here(named.path)} is there; so is {beside}"
    return FoundImage(named.path, Problem("other_image_named", where, detail, "kept"))


def _is_called_like(annotation: Path, name: PurePosixPath) -> bool:
    """Whether `name`, with or without its extension, is that of the annotation."""
    return folded(annotation.stem) in (folded(name.stem), folded(name.name))
