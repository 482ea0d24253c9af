"""Small files that ask for much: each is answered within seconds and some hundred megabytes."""

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.malformed.case import Case, good_voc, picture, voc_xml
from tests.malformed.csv_cases import GOOD, HEADER, ROW
from tests.malformed.image_cases import GONE, png, png_chunk

INGEST = "refused by ingest"
UNREADABLE = ("image_without_annotation", "unreadable_annotation")
ANIMATED = ("animated_image", "not_rgb", "size_missing")


def _progressive(scans: int, side: int) -> Callable[[], bytes]:
    """A grey progressive JPEG that repeats one of its scans."""

    def make() -> bytes:
        buffer = io.BytesIO()
        Image.new("L", (side, side)).save(buffer, format="JPEG", progressive=True)
        whole = buffer.getvalue()
        last = whole.rindex(b"\xff\xda")
        return whole[:last] + whole[last:-2] * scans + b"\xff\xd9"

    return make


def _black_png(width: int, height: int) -> bytes:
    """One bit a pixel."""
    return png(width, height, depth=1, colour=0)


def _tiff(count: int) -> bytes:
    """Pages that share their pixels: 14 bytes of directory and its tags for each."""
    tags = [(256, 64), (257, 48), (258, 8), (259, 1), (262, 1), (273, 8), (278, 48), (279, 64 * 48)]
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags)
    length = 2 + len(entries) + 4
    first = 8 + 64 * 48
    pages = (
        struct.pack("<H", len(tags)) + entries + struct.pack("<I", first + (i + 1) * length if i + 1 < count else 0)
        for i in range(count)
    )
    return b"II*\0" + struct.pack("<I", first) + bytes(64 * 48) + b"".join(pages)


def _webp(count: int) -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (64, 48), (i % 251, 9, 9)) for i in range(count)]
    frames[0].save(buffer, format="WEBP", save_all=True, append_images=frames[1:], lossless=True, method=0)
    return buffer.getvalue()


def _gif(count: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0x80, 0, 0) + bytes(6) + frame * count + b"\x3b"


def _image(name: str, content: Callable[[], bytes], ends: tuple[str, ...] = GONE, *, file: str = "bad.png") -> Case:
    def make(folder: Path) -> None:
        good_voc(folder / "data")
        (folder / "data" / "bad.xml").write_text(voc_xml(filename=file, size=""), encoding="utf-8")
        (folder / "data" / file).write_bytes(content())

    return Case(name, "hogs", make, ends)


def _source(name: str, file: str, content: Callable[[], str], ends: tuple[str, ...] | str = INGEST) -> Case:
    def make(folder: Path) -> None:
        picture(folder / "data" / "good.jpg")
        picture(folder / "data" / "bad.jpg")
        (folder / "data" / file).write_text(content(), encoding="utf-8")

    return Case(name, "hogs", make, ends, params={"ingest": {"source": f"data/{file}", "images": "data"}})


def _voc(objects: str) -> dict[str, str]:
    return {"good.xml": voc_xml(filename="good.jpg"), "bad.xml": voc_xml(objects)}


def _yolo(rows: str) -> dict[str, str]:
    return {"classes.txt": "cat", "good.txt": "0 .5 .5 .4 .4", "bad.txt": rows}


def _annotations(name: str, files: Callable[[], dict[str, str]], ends: tuple[str, ...]) -> Case:
    """Annotation files, those of bad.jpg among them, beside an image that nothing is wrong with."""

    def make(folder: Path) -> None:
        picture(folder / "data" / "bad.jpg")
        picture(folder / "data" / "good.jpg")
        for file, content in files().items():
            (folder / "data" / file).write_text(content, encoding="utf-8")

    return Case(name, "hogs", make, ends)


def _coco(classes: int) -> str:
    """A box of each class."""
    content = {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(("good.jpg", "bad.jpg"))],
        "annotations": [
            {"id": i, "image_id": i % 2, "category_id": i, "bbox": [i % 40, 1.5, 10.25, 20.75]} for i in range(classes)
        ],
        "categories": [{"id": i, "name": f"class {i:05}"} for i in range(classes)],
    }
    return json.dumps(content)


def _empty(entry: str) -> Callable[[], str]:
    """COCO JSON whose images are millions of lists or objects with next to nothing in them."""
    return lambda: '{"annotations": [], "categories": [], "images": [' + entry * (48_000_000 // len(entry)) + "{}]}"


def _classes_in_csv(count: int, boxes: int) -> Callable[[], str]:
    """Names of which none is like another, and `boxes` of each."""
    return lambda: HEADER + GOOD + "".join(ROW.replace("cat", f"{i:x}" * 9) * boxes for i in range(count))


CASES = [
    _image("jpeg-of-2000-scans", _progressive(2000, 4000), file="bad.jpg"),
    _image("jpeg-of-96-scans", _progressive(90, 2000), ("not_rgb", "size_missing"), file="bad.jpg"),
    _image("png-of-90000000-by-1", lambda: _black_png(90_000_000, 1)),
    _image("png-of-1-by-1000000", lambda: _black_png(1, 1_000_000)),
    _image("png-of-100000-chunks", lambda: png(64, 48, *[png_chunk(b"tEXt", b"a\0b")] * 100_000), ("size_missing",)),
    _image("gif-of-200000-frames", lambda: _gif(200_000), ANIMATED, file="bad.gif"),
    _image("tiff-of-50000-pages", lambda: _tiff(50_000), ANIMATED, file="bad.tif"),
    _image("webp-of-2000-frames", lambda: _webp(2000), ("animated_image", "size_missing"), file="bad.webp"),
    _source("csv-of-2000000-columns", "boxes.csv", lambda: ",".join(f"c{i}" for i in range(2_000_000)) + "\n" + GOOD),
    _source("csv-row-of-2000000-cells", "boxes.csv", lambda: HEADER + GOOD + "," * 2_000_000 + "\n"),
    _source("csv-of-70000-classes", "boxes.csv", _classes_in_csv(70_000, 1), ()),
    _source(
        "csv-of-70000-similar-names",
        "boxes.csv",
        lambda: HEADER + GOOD + "".join(ROW.replace("cat", f"class {i:05}") for i in range(70_000)),
        (),
    ),
    _source("coco-of-70000-classes", "boxes.json", lambda: _coco(70_000), ("size_missing",)),
    _source("coco-of-empty-objects", "boxes.json", _empty("{},")),
    _source("coco-of-empty-lists", "boxes.json", _empty("[],")),
    _source("coco-of-small-objects", "boxes.json", _empty('{"id":1},')),
    _source("coco-of-numbers", "boxes.json", _empty("1000,")),
    _annotations("voc-of-900000-objects", lambda: _voc("<object/>" * 900_000), UNREADABLE),
    _annotations("yolo-of-600000-rows", lambda: _yolo("0 .5 .5 .1 .1\n" * 600_000), UNREADABLE),
    _annotations("yolo-of-900000-broken-rows", lambda: _yolo("0 .5 .5 .1\n" * 900_000), UNREADABLE),
]
