"""CSV of every dialect and of none."""

from pathlib import Path

from tests.malformed.case import Case, picture

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
GOOD = "good.jpg,64,48,cat,10,10,50,40\n"
ROW = "bad.jpg,64,48,cat,10,10,50,40\n"
INGEST = "refused by ingest"
NO_NUMBERS = ("image_left_empty", "unreadable_object")
NOT_ANNOTATED = "image_without_annotation"


def _csv(name: str, content: str | bytes, ends: tuple[str, ...] | str = ()) -> Case:
    def make(folder: Path) -> None:
        picture(folder / "data" / "good.jpg")
        picture(folder / "data" / "bad.jpg")
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / "data" / "boxes.csv").write_bytes(raw)

    return Case(name, "csv", make, ends, params={"ingest": {"source": "data/boxes.csv", "images": "data"}})


def _table(name: str, rows: str, ends: tuple[str, ...] | str = ()) -> Case:
    return _csv(name, HEADER + GOOD + rows, ends)


CASES = [
    _csv("no-header", "good.jpg,10,10,50,40,cat\nbad.jpg,1,1,30,30,cat\n", ("size_missing",)),
    _csv("make-sense-without-a-header", "cat,10,10,30,20,good.jpg,64,48\ncat,1,1,20,20,bad.jpg,64,48\n"),
    _csv("another-order-without-a-header", "good.jpg,cat,10,10,50,40\nbad.jpg,cat,1,1,30,30\n", INGEST),
    _csv("automl", "TRAIN,gs://b/good.jpg,cat,0.1,0.2,,,0.5,0.6,,\n", INGEST),
    _csv("via", "filename,file_size,region_count,region_id,region_shape_attributes\ngood.jpg,9,1,0,{}\n", INGEST),
    _csv("four-numbers-in-a-cell", 'filename,class,bbox\ngood.jpg,cat,"[10, 10, 40, 30]"\n', INGEST),
    _csv("excels-own-line", "sep=;\n" + (HEADER + GOOD + ROW).replace(",", ";")),
    _csv(
        "boxes-around-a-centre",
        HEADER + "".join(f"{name}.jpg,64,48,cat,{50 + i},24,20,2{i}\n" for name in ("good", "bad") for i in range(4)),
        "refused by validate",
    ),
    _table("no-finding", "bad.jpg,64,48,No finding,NaN,NaN,NaN,NaN\n", ("no_objects",)),
    _csv("bars-between-columns", (HEADER + GOOD + ROW).replace(",", "|"), INGEST),
    _csv("semicolons-and-decimal-commas", (HEADER + GOOD + ROW).replace(",", ";").replace("10;10", "10,5;10"), INGEST),
    _csv("header-alone", HEADER, INGEST),
    _csv("empty", b"", INGEST),
    _csv("blank-lines-alone", "\n\n\n", INGEST),
    _csv("an-image-called-csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", INGEST),
    _csv("nul-bytes", HEADER + GOOD + ROW.replace("cat", "c\0t"), INGEST),
    _csv("all-zero", bytes(10_000), INGEST),
    _csv("utf-16", (HEADER + GOOD + ROW).encode("utf-16"), INGEST),
    _csv("two-encodings", (HEADER + GOOD).encode() + ROW.replace("cat", "Käse").encode("latin-1"), INGEST),
    _csv("a-column-missing", HEADER.replace(",ymax", "") + "good.jpg,64,48,cat,10,10,50\n", INGEST),
    _csv("a-column-twice", HEADER.replace("width", "xmin") + GOOD, INGEST),
    _csv("fractions", HEADER + GOOD.replace("10,10,50,40", "0.1,0.1,0.5,0.4"), INGEST),
    _table("a-row-too-long", ROW.replace("cat", "cat,brown"), INGEST),
    _table("a-row-too-short", "bad.jpg,64,48,cat,10\n", NO_NUMBERS),
    _table("an-unterminated-quote", ROW.replace("cat", '"cat') + ROW, INGEST),
    _table("a-newline-in-quotes", ROW.replace("cat", '"cat\nvalidate: done"')),
    _table("a-cell-of-10-mb", ROW.replace("cat", "c" * 10_000_000) + "bad.jpg,64,48,cat,x,1,9,9\n", NO_NUMBERS),
    _table("a-number-of-10-mb", ROW.replace("50", "9" * 10_000_000), NO_NUMBERS),
    _table("a-header-in-the-middle", HEADER + ROW, ("missing_image", "unreadable_object")),
    _table("nan", ROW.replace("50", "nan"), NO_NUMBERS),
    _table("infinite", ROW.replace("50", "-inf"), NO_NUMBERS),
    _table("1e308", ROW.replace("50", "1e308"), NO_NUMBERS),
    _table("digits-with-underscores", ROW.replace("50", "5_0"), NO_NUMBERS),
    _table("a-size-of-1e300", ROW.replace("64", "1e300"), ("size_missing",)),
    _table("no-filename", ROW.replace("bad.jpg", ""), (NOT_ANNOTATED, "unreadable_object")),
    _table(
        "climbs-out",
        ROW.replace("bad.jpg", "../../etc/passwd"),
        ("box_of_dropped_image", NOT_ANNOTATED, "path_outside_root"),
    ),
    _table("a-formula-as-a-class", ROW.replace("cat", "=cmd|' /C calc'!A0")),
    _table("a-class-of-html", ROW.replace("cat", "<script>alert(1)</script>")),
    _table("a-class-with-an-escape", ROW.replace("cat", "\x1b[2J\x9b31mcat")),
]
