"""Names that tools make of the names of image files, and what can be told from them of the files' own.

Label Studio calls an uploaded `IMG 1 (1).jpg` ab12cd34-IMG_1_1.jpg: eight random digits, then the name as Django's
`get_valid_filename` makes it; its exports without images may put eight or six digits and `__` before that
(label_studio_sdk, `_build_cache_path`). Addresses hold names percent-encoded, and `+` in a query may be a space.
A *key* is what stays the same; a written name and a file that share one may be the same image.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from tasks.ground.text import composed, folded
from tasks.images.image_file import FORMAT_OF_SUFFIX

# Encoded more often than that by no tool.
_MAX_DECODED = 3
# No system takes longer paths; the search for addresses in longer text could take minutes.
_MAX_PATH = 4096
_CACHE_PREFIX = re.compile(r"^(?:[0-9a-f]{6}|[0-9a-f]{8})__(?=.)")
_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-(?=.)")
_UPLOAD_FOLDER = re.compile(r"^.*?(?:^|/)(?:data|media)/upload/(?:[0-9]+/)?")
# Files that stand in a query: on the server's disk (`d`), or uploaded and passed on by the server.
_IN_QUERY = re.compile(
    r"(?:(?:^|/)data/local-files/?\?(?:[^#]*?&)?d=|^\?d=|(?:^|/)storage-data/uploaded/?\?(?:[^#]*?&)?filepath=)(.*)$",
    re.DOTALL,
)
# Their keys are the names themselves, with nothing encoded and no query behind.
_BUCKETS = frozenset({"s3", "gs", "azure-blob"})


class Reading(NamedTuple):
    """One way to understand a written name.

    Attributes:
        name: a path, as far as there is one.
        keys: of its last part without the extension; the first that any file has decides.
    """

    name: str
    keys: tuple[str, ...]


def path_in_address(address: str) -> str:
    """The path in an address without its server, decoded: /data/upload/1/x.jpg -> x.jpg; other text as it is.

    `/data/local-files/?d=a/x%20y.jpg` -> a/x y.jpg. A query with a plus sign as it is stays, as `?d=a/x+y.jpg`: whether
    that is a space, only the files can tell.
    """
    if len(address) > _MAX_PATH:
        return address
    in_query = _IN_QUERY.search(address)
    if in_query:
        path = _up_to_image(in_query[1], "&#").lstrip("/")
        return f"?d={path}" if "+" in path else unquote(path)
    if _UPLOAD_FOLDER.match(address):
        return unquote(_UPLOAD_FOLDER.sub("", address))
    scheme, is_address, rest = address.partition("://")
    # A drive letter is no scheme, and `?` and `#` may stand in the name of a file.
    if not is_address or len(scheme) < 2:
        return address
    path = rest.partition("/")[2]
    if not path:
        return address
    return path if scheme in _BUCKETS else unquote(_up_to_image(path, "?#")).lstrip("/")


def readings(written: str) -> Iterator[Reading]:
    """What the name `written` in an annotation may have been; the likeliest first."""
    if len(written) > _MAX_PATH:
        return
    name = path_in_address(written)
    path = _decoded(name.removeprefix("?d="))
    spaced = _spaced_key(_stem(_decoded(name.removeprefix("?d=").replace("+", " "))))
    yield Reading(path, (spaced,) if is_doubtful(name) else (_decoded_key(_stem(path)), spaced))
    original = without_upload_prefix(path)
    if original != path:
        valid = _valid_name(_stem(original))
        yield Reading(original, (f"uploaded {valid}", f"plain {valid}"))


def is_doubtful(name: str) -> bool:
    """Whether `name` is a `path_in_address` in which a plus sign may be a space."""
    return name.startswith("?d=") and "+" in name


def keys_of_file(stem: str) -> set[str]:
    """All keys of an image file, from its name without the extension."""
    name = _decoded(stem)
    # Browsers send names as they are stored, or composed. Django leaves accents out that stand apart, as on macOS.
    uploaded = {f"uploaded {_valid_name(form)}" for form in (name, composed(name))}
    plain = f"plain {_valid_name(unicodedata.normalize('NFD', name))}"
    return {_decoded_key(stem), _spaced_key(stem), plain, *uploaded}


def without_upload_prefix(name: str) -> str:
    """`name.jpg` for `ab12cd34-name.jpg`, as Label Studio calls an uploaded name.jpg; the folder stays."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + _UPLOAD_PREFIX.sub("", _CACHE_PREFIX.sub("", last))


def _up_to_image(text: str, separators: str) -> str:
    """`text` up to the first of `separators` before which it ends like an image; else to the first of them."""
    ends = [found.start() for found in re.finditer(f"[{separators}]", text)] + [len(text)]
    named = (text[:end] for end in ends)
    return next((name for name in named if _suffix(unquote(name)) in FORMAT_OF_SUFFIX), text[: ends[0]])


def _decoded_key(stem: str) -> str:
    return f"decoded {folded(_decoded(stem))}"


def _spaced_key(stem: str) -> str:
    return f"spaced {folded(_decoded(stem.replace('+', ' '))).replace('+', ' ')}"


def _valid_name(stem: str) -> str:
    return folded(re.sub(r"[^-\w.]", "", stem.lstrip().replace(" ", "_")))


def _decoded(text: str) -> str:
    """`text` percent-decoded; unchanged where that gives no UTF-8, for two names must not become the same."""
    for _ in range(_MAX_DECODED):
        try:
            decoded = unquote(text, errors="strict")
        except UnicodeDecodeError:
            return text
        if decoded == text:
            break
        text = decoded
    return text


def _stem(name: str) -> str:
    """The last part, without an image's extension."""
    last = PurePosixPath(name).name
    return last.removesuffix(PurePosixPath(last).suffix) if _suffix(last) in FORMAT_OF_SUFFIX else last


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
