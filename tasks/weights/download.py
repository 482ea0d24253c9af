"""One file over HTTP: resumed where it stopped, retried when the connection fails, refused when its checksum is wrong.

The bytes so far are kept beside the target as `NAME.partial`. `NAME.partial.json` says which version of which address
they belong to. The target appears only when the whole file has passed its checksum.
"""

import base64
import hashlib
import http.client
import json
import re
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tasks.errors import CheckpointError, UnreachableError
from tasks.ground.files import sha256_of, write_json

MAX_BYTES = 4 * 1024**3
_PIECE_BYTES = 256 * 1024


class _InterruptedTransferError(Exception):
    """The transfer stopped before its end; another attempt may continue."""


_TRANSIENT = (_InterruptedTransferError, ConnectionError, TimeoutError, http.client.HTTPException, ssl.SSLError)
_TRANSIENT_STATUS = frozenset({408, 416, 429, 500, 502, 503, 504})


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    max_bytes: int = MAX_BYTES,
    attempts: int = 4,
    pause_s: float = 1.0,
    timeout_s: float = 30.0,
) -> str:
    """Fetch `url` to `target` and return its hex SHA-256.

    After `attempts` failures in a row without a new byte, it gives up; the pause between them starts at `pause_s` and
    doubles. Without `sha256`, the MD5 that the server states (`x-goog-hash`) is checked, if it does.

    Raises:
        CheckpointError: not http(s); no such file; too large for `max_bytes` or for the disk; the wrong checksum
            (nothing is kept then).
        UnreachableError: no answer, or a connection that failed too often.
    """
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise CheckpointError(f"{url}: not an http:// or https:// address")
    partial = _Partial(url, target)
    failures = 0
    while True:
        before = partial.size()
        try:
            stated_md5 = _fetch(partial, max_bytes=max_bytes, timeout_s=timeout_s)
            break
        except _TRANSIENT as error:
            failures = 1 if partial.size() > before else failures + 1
            if failures >= attempts:
                kept = f"; {partial.size()} bytes are kept in {partial.path}" if partial.size() else ""
                raise UnreachableError(f"{url}: unreachable, {failures} attempts failed ({error}){kept}") from error
            time.sleep(pause_s * 2 ** (failures - 1))
        except OSError as error:
            raise CheckpointError(f"{url} to {partial.path}: {error}") from error
    return partial.finish(sha256, stated_md5)


@dataclass(frozen=True)
class _Partial:
    """The bytes of `url` that have arrived so far."""

    url: str
    target: Path

    @property
    def path(self) -> Path:
        return self.target.with_name(f"{self.target.name}.partial")

    @property
    def _description(self) -> Path:
        return self.target.with_name(f"{self.target.name}.partial.json")

    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self) -> str | None:
        """What identifies the version that the bytes belong to; None where no transfer can be continued."""
        try:
            description = json.loads(self._description.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not self.size() or not isinstance(description, dict) or description.get("url") != self.url:
            return None
        validator = description.get("validator")
        return validator if isinstance(validator, str) else None

    def begin(self, headers: Any) -> None:
        """Start over with the version that `headers` describe."""
        self.discard()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        etag = headers.get("ETag")
        # A weak ETag promises equal meaning, not equal bytes (RFC 9110, section 13.1.5).
        strong = etag if etag and not etag.startswith("W/") else None
        write_json(self._description, {"url": self.url, "validator": strong or headers.get("Last-Modified")})

    def discard(self) -> None:
        """Remove the bytes and their description."""
        self.path.unlink(missing_ok=True)
        self._description.unlink(missing_ok=True)

    def finish(self, sha256: str | None, md5: str | None) -> str:
        """Check the whole file and move it to its target; return its SHA-256."""
        actual = sha256_of(self.path)
        if sha256 is not None and actual != sha256:
            self.discard()
            raise CheckpointError(
                f"{self.url}: its SHA-256 is {actual}, but checkpoint.sha256 is {sha256}; the file was removed"
            )
        if sha256 is None and md5 is not None and _md5_of(self.path) != md5:
            self.discard()
            raise CheckpointError(
                f"{self.url}: the file has another MD5 than the server states; it was removed, try again"
            )
        self.path.replace(self.target)
        self.discard()
        return actual


def _fetch(partial: _Partial, *, max_bytes: int, timeout_s: float) -> str | None:
    """One attempt, from where the last one stopped; returns the MD5 that the server states, if it does."""
    request = urllib.request.Request(partial.url, headers={"Accept-Encoding": "identity"})  # noqa: S310 - scheme checked
    validator = partial.validator()
    if validator is not None:
        request.add_header("Range", f"bytes={partial.size()}-")
        request.add_header("If-Range", validator)
    with _open(request, partial, timeout_s) as response:
        start = _body_start(response, partial)
        rest: int | None = response.length
        total = None if rest is None else start + rest
        _check_size(partial, rest or 0, total or 0, max_bytes)
        _receive(response, partial, start=start, total=total, max_bytes=max_bytes)
        return _stated_md5(response.headers)


def _open(request: urllib.request.Request, partial: _Partial, timeout_s: float) -> Any:
    """The response. Redirects are followed to http and https only: urllib's own opener follows ftp and files too."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    try:
        return opener.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            partial.discard()
        if error.code in _TRANSIENT_STATUS:
            raise _InterruptedTransferError(f"the server answered {error.code} {error.reason}") from error
        raise CheckpointError(
            f"{partial.url}: the server answered {error.code} {error.reason}; does it have that file?"
        ) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, OSError) and not isinstance(error.reason, ssl.SSLCertVerificationError):
            raise _InterruptedTransferError(str(error.reason)) from error
        raise CheckpointError(f"{partial.url}: {error.reason}") from error


def _body_start(response: Any, partial: _Partial) -> int:
    """The byte of the file at which the response's body starts; a body that starts at 0 replaces what has arrived."""
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        partial.begin(response.headers)
        return 0
    stated = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if stated is None or int(stated[1]) != partial.size():
        partial.discard()
        raise _InterruptedTransferError("the server sent another range than was asked for")
    return partial.size()


def _check_size(partial: _Partial, rest: int, total: int, max_bytes: int) -> None:
    if total > max_bytes:
        raise CheckpointError(f"{partial.url}: {total} bytes, more than the {max_bytes} allowed")
    free = shutil.disk_usage(partial.path.parent).free
    # Unpacking needs about the archive's size once more.
    if free < rest + total:
        raise CheckpointError(
            f"{partial.path.parent}: {free // 1024**2} MiB free, but {partial.url} needs about "
            f"{(rest + total) // 1024**2 + 1} MiB, unpacked and all; free some space"
        )


def _receive(response: Any, partial: _Partial, *, start: int, total: int | None, max_bytes: int) -> None:
    with (
        partial.path.open("ab") as file,
        tqdm(desc=partial.target.name, total=total, initial=start, unit="B", unit_scale=True) as bar,
    ):
        size = start
        while piece := response.read(_PIECE_BYTES):
            size += len(piece)
            if size > max_bytes:
                partial.discard()
                raise CheckpointError(f"{partial.url}: more than the {max_bytes} bytes allowed")
            file.write(piece)
            bar.update(len(piece))
    # http.client takes a connection closed early for the end of the file.
    if total is not None and size < total:
        raise _InterruptedTransferError(f"it ended after {size} of {total} bytes")


def _stated_md5(headers: Any) -> str | None:
    """Hex MD5 from Google Cloud Storage's `x-goog-hash: crc32c=...,md5=<base64>`, which the zoo's server sends."""
    for header in headers.get_all("x-goog-hash", []):
        for entry in header.split(","):
            kind, _, value = entry.strip().partition("=")
            if kind == "md5":
                try:
                    return base64.b64decode(value, validate=True).hex()
                except ValueError:
                    return None
    return None


def _md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
