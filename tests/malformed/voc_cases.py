"""Pascal VOC XML that is broken, bent or hostile; what names images comes in path_cases.py."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.malformed.case import Case, good_voc, picture, voc_xml

UNREADABLE = ("image_without_annotation", "unreadable_annotation")
NO_BOX = ("image_left_empty", "unreadable_object")
_ENTITY = voc_xml(name="&e;")


def _voc(name: str, content: str | bytes, ends: tuple[str, ...] = UNREADABLE) -> Case:
    def make(folder: Path) -> None:
        good_voc(folder / "data")
        picture(folder / "data" / "bad.jpg")
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / "data" / "bad.xml").write_bytes(raw)

    return Case(name, "voc", make, ends)


def _made(name: str, add: Callable[[Path], object], ends: tuple[str, ...]) -> Case:
    def make(folder: Path) -> None:
        good_voc(folder / "data")
        picture(folder / "data" / "bad.jpg")
        add(folder / "data")

    return Case(name, "voc", make, ends)


def _laughs() -> str:
    lines = [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)]
    return f'<!DOCTYPE annotation [<!ENTITY a0 "ha">{"".join(lines)}]>{voc_xml(name="&a9;")}'


def _box(**sides: str) -> str:
    corners = {"xmin": "10", "ymin": "10", "xmax": "50", "ymax": "40", **sides}
    inside = "".join(f"<{side}>{text}</{side}>" for side, text in corners.items())
    return f"<object><name>cat</name><bndbox>{inside}</bndbox></object>"


def _good_object() -> str:
    return _box()


CASES = [
    _voc("entity-of-a-file", f'<!DOCTYPE annotation [<!ENTITY e SYSTEM "file:///etc/passwd">]>{_ENTITY}'),
    _voc("entity-of-a-server", f'<!DOCTYPE annotation [<!ENTITY e SYSTEM "http://192.0.2.1/x">]>{_ENTITY}'),
    _voc("billion-laughs", _laughs()),
    _voc(
        "quadratic-blow-up",
        f'<!DOCTYPE annotation [<!ENTITY e "{"a" * 100_000}">]>{voc_xml(name="&e;" * 20_000)}',
    ),
    _voc("external-dtd", f'<!DOCTYPE annotation SYSTEM "http://192.0.2.1/voc.dtd">{voc_xml()}'),
    _voc(
        "parameter-entity",
        f'<!DOCTYPE annotation [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]>{voc_xml()}',
    ),
    _voc("undeclared-entity", _ENTITY),
    _voc(
        "xinclude",
        voc_xml(
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="good.xml" xpointer="xpointer(//object)"/>'
        ),
        ("no_objects",),
    ),
    _voc("deep-nesting", "<annotation>" + "<a>" * 100_000 + "</a>" * 100_000 + "</annotation>"),
    _voc("over-10-mb", voc_xml() + " " * 10_000_001),
    _voc(
        "other-encoding-than-declared",
        b'<?xml version="1.0" encoding="utf-8"?>' + voc_xml(name="Käse").encode("latin-1"),
    ),
    _voc("unknown-encoding", '<?xml version="1.0" encoding="x-klingon"?>' + voc_xml()),
    _voc("utf-16-with-mark", ('<?xml version="1.0" encoding="utf-16"?>' + voc_xml(name="猫")).encode("utf-16"), ()),
    # libxml2 believes the bytes, not what they say of themselves.
    # libxml2 believes the bytes rather than what they say of themselves.
    _voc("utf-16-that-says-utf-8", ('<?xml version="1.0" encoding="utf-8"?>' + voc_xml()).encode("utf-16-le"), ()),
    _voc("truncated", voc_xml()[:-20]),
    _voc("empty", b""),
    _voc("blanks-only", b" \n\t\n"),
    _voc("nul-bytes", voc_xml(name="c\0t")),
    _voc("all-zero", bytes(4096)),
    _voc("an-image-called-xml", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"),
    _voc("not-voc", "<html><body>404 Not Found</body></html>"),
    _voc("voc-in-a-namespace", voc_xml().replace("<annotation>", '<annotation xmlns="urn:x">')),
    _voc("two-annotations-in-one-file", voc_xml() * 2),
    _voc("attribute-twice", voc_xml().replace("<annotation>", '<annotation a="1" a="2">')),
    _voc(
        "thousands-of-attributes",
        voc_xml().replace("<annotation>", "<annotation " + " ".join(f'a{i}=""' for i in range(50_000)) + ">"),
        (),
    ),
    _voc("no-bndbox", voc_xml("<object><name>cat</name></object>"), NO_BOX),
    _voc(
        "two-bndbox", voc_xml(_good_object().replace("</object>", "<bndbox><xmin>1</xmin></bndbox></object>")), NO_BOX
    ),
    _voc("a-corner-missing", voc_xml(_box().replace("<ymax>40</ymax>", "")), NO_BOX),
    _voc("nan", voc_xml(_box(xmin="nan")), NO_BOX),
    _voc("infinite", voc_xml(_box(xmax="inf")), NO_BOX),
    _voc("1e308", voc_xml(_box(xmax="1e308")), NO_BOX),
    _voc("1e999", voc_xml(_box(xmax="1e999")), NO_BOX),
    _voc("a-unit", voc_xml(_box(xmin="12px")), NO_BOX),
    _voc("decimal-comma", voc_xml(_box(xmin="12,5")), NO_BOX),
    _voc("empty-coordinate", voc_xml(_box(ymin="")), NO_BOX),
    _voc("elements-in-a-number", voc_xml(_box(ymin="<b>12</b>")), NO_BOX),
    _voc("a-comment-in-a-number", voc_xml(_box(xmin="1<!-- -->2")), ()),
    _voc("huge-text-as-a-number", voc_xml(_box(xmin="9" * 9_000_000)), NO_BOX),
    _voc("huge-text-as-a-name", voc_xml(_box(xmin="x").replace("cat", "c" * 9_000_000)), NO_BOX),
    _voc("negative", voc_xml(_box(xmin="-10")), ("box_partly_outside",)),
    _voc("corners-swapped", voc_xml(_box(xmin="50", xmax="10")), ("inverted_box",)),
    _voc("far-outside", voc_xml(_box(xmin="5000", xmax="5040")), ("box_outside_image", "image_left_empty")),
    _voc("size-0", voc_xml(size="<width>0</width><height>0</height>"), ("size_missing",)),
    _voc("size-missing", voc_xml(size=""), ("size_missing",)),
    _voc("size-of-words", voc_xml(size="<width>wide</width><height>1e999</height>"), ("size_missing",)),
    _voc("size-swapped", voc_xml(size="<width>48</width><height>64</height>"), ("size_mismatch",)),
    _voc("size-wrong", voc_xml(size="<width>640</width><height>480</height>"), ("size_mismatch",)),
    _voc("no-name", voc_xml(_box().replace("<name>cat</name>", "")), ("empty_class_name", "image_left_empty")),
    _voc("name-of-blanks", voc_xml(name=" \n\t "), ("empty_class_name", "image_left_empty")),
    _voc("name-with-a-newline", voc_xml(name="cat\nvalidate: done"), ()),
    _voc("name-with-an-escape", voc_xml(name="&#x1b;[31mcat")),
    _voc("name-with-a-c1-control", voc_xml(name="&#x9b;31mcat"), ()),
    _voc("name-with-right-to-left-override", voc_xml(name="\u202etac"), ()),
    _voc("forty-equal-objects", voc_xml(_good_object() * 40), ("duplicate_box",)),
    _made("a-folder-called-xml", lambda data: (data / "bad.xml").mkdir(), ("image_without_annotation",)),
    _made("a-link-to-nowhere", lambda data: (data / "bad.xml").symlink_to("gone.xml"), UNREADABLE),
    _made("a-link-to-itself", lambda data: (data / "bad.xml").symlink_to("bad.xml"), UNREADABLE),
    _made("a-pipe-called-xml", lambda data: os.mkfifo(data / "bad.xml"), UNREADABLE),
]
