"""Image files that are broken, bombs, or merely unusual; their annotations are healthy."""

import io
import os
import random
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from tests.malformed.case import GOOD_SIZE, Case, good_voc, voc_xml

GONE = ("box_of_dropped_image", "unreadable_image")
MISSING = ("box_of_dropped_image", "missing_image")


def _image(
    name: str,
    content: bytes | Callable[[Path], object],
    ends: tuple[str, ...] | str = GONE,
    *,
    file: str = "bad.png",
    size: tuple[int, int] = GOOD_SIZE,
) -> Case:
    def make(folder: Path) -> None:
        good_voc(folder / "data")
        written_size = f"<width>{size[0]}</width><height>{size[1]}</height>"
        (folder / "data" / "bad.xml").write_text(voc_xml(filename=file, size=written_size), encoding="utf-8")
        path = folder / "data" / file
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)

    return Case(name, "images", make, ends)


_HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)


def _saved(kind: str, mode: str = "RGB", size: tuple[int, int] = GOOD_SIZE, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, format=kind, **options)
    return buffer.getvalue()


def _noise(kind: str) -> bytes:
    buffer = io.BytesIO()
    pixels = random.Random(1).randbytes(GOOD_SIZE[0] * GOOD_SIZE[1] * 3)  # noqa: S311
    Image.frombytes("RGB", GOOD_SIZE, pixels).save(buffer, format=kind)
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2, pixels: bytes | None = None) -> bytes:
    """A PNG with these chunks before its pixels, which are black unless given, as a zlib stream."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    data = zlib.compress(bytes(height * (1 + (width * bits + 7) // 8))) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def _black(width: int, height: int, bytes_a_pixel: int) -> bytes:
    """The zlib stream of black pixels, a row at a time: the corpus's own maker must stay small, too."""
    stream, row = zlib.compressobj(1), bytes(1 + width * bytes_a_pixel)
    return b"".join([*(stream.compress(row) for _ in range(height)), stream.flush()])


def _bomb() -> bytes:
    stream, piece = zlib.compressobj(9), bytes(1_000_000)
    return b"".join([*(stream.compress(piece) for _ in range(300)), stream.flush()])


def _tiff(*, offset_as_fraction: bool = False) -> bytes:
    """Little-endian grey TIFF whose one directory says that the next one is itself; where its pixels are, in a tag."""
    tags = [(256, 64), (257, 48), (258, 8), (259, 1), (262, 1), (273, 8), (278, 48), (279, 64 * 48)]
    start = 8 + 64 * 48
    end = start + 2 + 12 * len(tags) + 4
    kinds = [(tag, 3, value) for tag, value in tags]
    if offset_as_fraction:
        kinds = [(tag, 5, end) if tag == 273 else (tag, kind, value) for tag, kind, value in kinds]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in kinds)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", start)
    return b"II*\0" + struct.pack("<I", start) + bytes(64 * 48) + directory + struct.pack("<II", 8, 1)


def _bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def _animated(kind: str) -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", GOOD_SIZE, colour) for colour in ("red", "green", "blue")]
    frames[0].save(buffer, format=kind, save_all=True, append_images=frames[1:], duration=40)
    return buffer.getvalue()


def _exif(tags: bytes) -> bytes:
    return _saved("JPEG", exif=b"Exif\0\0" + tags)


def _orientation(value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return _saved("JPEG", exif=exif)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the address of a socket has a hundred letters at most
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _several(path: Path) -> None:
    """As many as could be decoded at a time."""
    content = png(*_LARGEST, pixels=_black(*_LARGEST, 3))
    path.write_bytes(content)
    xml = path.with_suffix(".xml").read_text(encoding="utf-8")
    for number in range(2):
        # Other bytes, so that none is a copy of another.
        path.with_name(f"bad{number}.png").write_bytes(content + bytes(number + 1))
        path.with_name(f"bad{number}.xml").write_text(xml.replace("bad.png", f"bad{number}.png"), encoding="utf-8")


_TEXT_BOMB = png_chunk(b"zTXt", b"Comment\0\0" + _bomb())
_ICC_BOMB = png_chunk(b"iCCP", b"profile\0\0" + _bomb())
_LARGEST = (9_900, 10_100)  # just below validate.max_image_megapixels

CASES = [
    _image("heic", _HEIC, MISSING, file="bad.heic"),
    _image("heic-called-jpg", _HEIC, file="bad.jpg"),
    _image("zero-bytes", b"", file="bad.jpg"),
    _image("jpeg-truncated", lambda p: p.write_bytes(_noise("JPEG")[:-400]), file="bad.jpg"),
    _image(
        "jpeg-header-alone", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00", file="bad.jpg"
    ),
    _image("png-truncated", lambda p: p.write_bytes(_noise("PNG")[:-4000])),
    _image("png-with-a-broken-stream", png(64, 48, pixels=b"x\x9c" + b"\xff" * 200)),
    _image("png-with-a-wrong-checksum", png(64, 48).replace(b"IDAT", b"IDAU", 1)),
    _image("png-without-pixels", png(64, 48, pixels=b"")),
    _image("png-with-a-chunk-of-4-gb", png(64, 48, struct.pack(">I", 0xFFFFFFFF) + b"tEXt")),
    _image("png-of-width-0", png(0, 48)),
    _image("png-of-an-impossible-depth", png(64, 48, depth=3, colour=0)),
    _image("webp-truncated", lambda p: p.write_bytes(_noise("WEBP")[:-200]), file="bad.webp"),
    _image("gif-truncated", lambda p: p.write_bytes(_noise("GIF")[:-2000]), file="bad.gif"),
    _image("tiff-truncated", lambda p: p.write_bytes(_noise("TIFF")[:2000]), file="bad.tif"),
    _image("tiff-directory-in-a-loop", _tiff(), ("not_rgb",), file="bad.tif"),
    _image("tiff-with-a-fraction-as-an-offset", _tiff(offset_as_fraction=True), file="bad.tif"),
    _image("bmp-of-absurd-size", _bmp(2**31 - 1, 2**31 - 1), file="bad.bmp"),
    _image("bmp-of-negative-width", _bmp(-64, 48), file="bad.bmp"),
    _image("bmp-without-pixels", _bmp(64, 48), file="bad.bmp"),
    _image("text-called-jpg", b"this is no picture\n", file="bad.jpg"),
    _image("html-called-jpg", b"<html><body>404 Not Found</body></html>", file="bad.jpg"),
    _image("svg-called-png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    _image("postscript-called-png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n"),
    _image("png-called-jpg", _saved("PNG"), ("wrong_extension",), file="bad.jpg"),
    _image("gigapixel-header", png(100_000, 100_000, pixels=b"")),
    _image("gigapixel-that-packs-small", lambda p: p.write_bytes(png(40_000, 40_000, depth=1, colour=0))),
    _image("over-the-limit-and-below-pillows", lambda p: p.write_bytes(png(11_000, 11_000, depth=1, colour=0))),
    _image(
        "largest-allowed",
        lambda p: p.write_bytes(png(*_LARGEST, pixels=_black(*_LARGEST, 3))),
        ("box_below_resolution",),
        size=_LARGEST,
    ),
    _image(
        "largest-allowed-with-transparency",
        lambda p: p.write_bytes(png(*_LARGEST, colour=6, pixels=_black(*_LARGEST, 4))),
        ("box_below_resolution", "not_rgb"),
        size=_LARGEST,
    ),
    _image(
        "largest-allowed-in-16-bits",
        lambda p: p.write_bytes(png(*_LARGEST, depth=16, colour=0, pixels=_black(*_LARGEST, 2))),
        ("box_below_resolution", "not_rgb"),
        size=_LARGEST,
    ),
    _image("several-of-the-largest", _several, ("box_below_resolution",), size=_LARGEST),
    _image("png-text-bomb", lambda p: p.write_bytes(png(64, 48, _TEXT_BOMB))),
    _image("png-profile-bomb", lambda p: p.write_bytes(png(64, 48, _ICC_BOMB))),
    _image(
        "png-with-10-mb-of-text",
        lambda p: p.write_bytes(png(64, 48, png_chunk(b"tEXt", b"Comment\0" + b"a" * 10_000_000))),
        (),
    ),
    _image("gif-animated", _animated("GIF"), ("animated_image", "not_rgb"), file="bad.gif"),
    _image("png-animated", _animated("PNG"), ("animated_image",)),
    _image("palette", _saved("PNG", "P"), ("not_rgb",)),
    _image("transparency", _saved("PNG", "RGBA"), ("not_rgb",)),
    _image("one-bit", _saved("PNG", "1"), ("not_rgb",)),
    _image("sixteen-bits", _saved("PNG", "I;16"), ("not_rgb",)),
    _image("cmyk", _saved("JPEG", "CMYK"), ("not_rgb",), file="bad.jpg"),
    _image("float-tiff", _saved("TIFF", "F"), ("not_rgb",), file="bad.tif"),
    _image("exif-turned", _orientation(6), ("exif_rotated",), file="bad.jpg"),
    _image("exif-orientation-99", _orientation(99), (), file="bad.jpg"),
    _image("exif-of-noise", _exif(random.Random(2).randbytes(2000)), (), file="bad.jpg"),  # noqa: S311
    _image(
        "exif-directory-in-a-loop",
        _exif(b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"),
        (),
        file="bad.jpg",
    ),
    _image("a-pipe", os.mkfifo, MISSING, file="bad.jpg"),
    _image("a-socket", _socket, MISSING, file="bad.jpg"),
    _image("a-link-to-nowhere", lambda p: p.symlink_to("gone.jpg"), MISSING, file="bad.jpg"),
    _image("a-link-to-itself", lambda p: p.symlink_to(p.name), MISSING, file="bad.jpg"),
    _image(
        "a-device", lambda p: p.symlink_to("/dev/zero"), ("box_of_dropped_image", "path_outside_root"), file="bad.jpg"
    ),
]
