"""Image formats that are not read: called by name, with the way to one that is."""

from collections.abc import Iterable
from pathlib import Path

_HEIC = "HEIC, which is not read: convert it to JPEG (ImageMagick: magick mogrify -format jpg '*.heic'; macOS: sips)"
_RAW = "a camera's raw file, which is not read: export it as JPEG"
_OF_SUFFIX = {
    ".heic": _HEIC,
    ".heif": _HEIC,
    ".hif": _HEIC,
    ".jxl": "JPEG XL, which is not read: convert it to PNG or JPEG",
    ".jp2": "JPEG 2000, which is not read: convert it to PNG or JPEG",
    ".svg": "a vector drawing, which is not read: export it as PNG",
    ".psd": "a Photoshop file, which is not read: export it as PNG or JPEG",
    ".dcm": "DICOM, which is not read: export its pictures as PNG",
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"), _RAW),
}
# ISO/IEC 23008-12 names the brands of HEIF; they stand behind `ftyp`, from the ninth byte on.
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_MAX_LISTED = 3


def unread_kind(path: Path) -> str:
    """What the suffix of `path` says it is, and the remedy; empty for an image that is read, and for other files."""
    return _OF_SUFFIX.get(path.suffix.lower(), "")


def unread_content(start: bytes) -> str:
    """What the first bytes of a file say it is, whatever it is called, and the remedy; mostly empty."""
    return _HEIC if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS else ""


def named_files(paths: Iterable[Path]) -> str:
    """Some of `paths` by name, with what is known of them, and how many more."""
    listed = list(paths)
    names = [f"{path} ({kind.split(',')[0]})" if (kind := unread_kind(path)) else str(path) for path in listed]
    more = f" and {len(listed) - _MAX_LISTED} more" if len(listed) > _MAX_LISTED else ""
    remedies = dict.fromkeys(kind.partition(": ")[2] for path in listed if (kind := unread_kind(path)))
    return ", ".join(names[:_MAX_LISTED]) + more + "".join(f"; {remedy}" for remedy in remedies)
