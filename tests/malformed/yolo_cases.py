"""YOLO labels and the files that name their classes."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.malformed.case import Case, picture

INGEST = "refused by ingest"
NO_BOX = ("image_left_empty", "unreadable_object")
NO_CLASS = ("image_left_empty", "unknown_class")
UNREADABLE = ("image_without_annotation", "unreadable_annotation")
GOOD_ROW = "0 0.5 0.5 0.4 0.4\n"
GOOD_YAML = "names: [cat, dog]\n"

_POSE = "0 .81 .64 .25 .25 .68 .52 2 .94 .52 2 .94 .76 2 .68 .76 2"


def _yolo(
    name: str,
    files: Mapping[str, str | bytes],
    ends: tuple[str, ...] | str,
    add: Callable[[Path], object] | None = None,
) -> Case:
    def make(folder: Path) -> None:
        data = folder / "data"
        picture(data / "images" / "good.jpg")
        picture(data / "images" / "bad.jpg")
        (data / "labels").mkdir()
        for path, content in {"data.yaml": GOOD_YAML, "labels/good.txt": GOOD_ROW, **files}.items():
            (data / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        if add is not None:
            add(data)

    return Case(name, "yolo", make, ends)


def _label(name: str, row: str | bytes, ends: tuple[str, ...] | str) -> Case:
    return _yolo(name, {"labels/bad.txt": row}, ends)


def _names(name: str, text: str | bytes, ends: tuple[str, ...] | str = INGEST) -> Case:
    return _yolo(name, {"data.yaml": text, "labels/bad.txt": "1 0.5 0.5 0.2 0.2\n"}, ends)


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES = [
    _label(
        "rows-that-are-corners",
        "".join(f"0 0.{100 + i} 0.{100 + i} 0.9 0.{900 + i}\n" for i in range(60)),
        "refused by validate",
    ),
    _label("four-values", "0 0.5 0.5 0.4\n", NO_BOX),
    _label("six-values", "0 0.5 0.5 0.4 0.4 0.9\n", ()),
    _label("eight-values", "0 0.1 0.1 0.5 0.1 0.5 0.5 0.9\n", NO_BOX),
    _label("a-polygon", "0 0.1 0.1 0.5 0.1 0.5 0.5\n", ("enclosing_box",)),
    _label("a-box-with-key-points", f"{_POSE}\n", ("values_after_box",)),
    _label("a-box-with-a-track-id", "0 0.5 0.5 0.2 0.2 0.93 7\n", ("values_after_box",)),
    _yolo("a-box-or-a-polygon", {"labels/bad.txt": "0 0.5 0.5 0.2 0.2 0.93 1\n"}, INGEST),
    _yolo("boxes-and-polygons", {"labels/bad.txt": f"{_POSE}\n0 0.1 0.1 0.5 0.1 0.5 0.5\n"}, INGEST),
    _label("a-visibility-that-is-no-corner", "0 0.1 0.1 0.5 0.1 0.5 0.5 2\n", NO_BOX),
    _yolo("key-points-by-kpt-shape", {"data.yaml": f"{GOOD_YAML}kpt_shape: [4, 3]\n", "labels/bad.txt": _POSE}, ()),
    _yolo(
        "a-row-that-is-not-kpt-shape",
        {"data.yaml": f"{GOOD_YAML}kpt_shape: [4, 3]\n", "labels/bad.txt": "0 0.1 0.1 0.5 0.1 0.5 0.5\n"},
        NO_BOX,
    ),
    _yolo(
        "kpt-shape-of-a-million-points",
        {"data.yaml": f"{GOOD_YAML}kpt_shape: [1000000, 3]\n", "labels/bad.txt": ""},
        INGEST,
    ),
    _yolo(
        "labels-in-two-layouts",
        {"images/bad.txt": "0 0.5 0.5 0.2 0.2\n", "images/good.txt": "1 0.5 0.5 0.2 0.2\n"},
        ("box_of_dropped_image", "image_annotated_twice"),
    ),
    _yolo(
        "a-copy-in-another-layout",
        {"images/good.txt": GOOD_ROW, "labels/bad.txt": ""},
        ("image_annotated_twice", "no_objects"),
    ),
    _yolo(
        "lists-beside-labels",
        {
            "images/bad.txt": GOOD_ROW,
            "autosplit_train.txt": "./images/good.jpg\n",
            "train2017.txt": "",
            "trainval.txt": "good\n",
        },
        (),
    ),
    _label("class-is-a-word", "cat 0.5 0.5 0.4 0.4\n", NO_CLASS),
    _label("class-is-2.5", "2.5 0.5 0.5 0.4 0.4\n", NO_CLASS),
    _label("class-is-negative", "-1 0.5 0.5 0.4 0.4\n", NO_CLASS),
    _label("class-without-a-name", "7 0.5 0.5 0.4 0.4\n", NO_CLASS),
    _label("class-of-a-million-digits", "1" * 1_000_000 + " 0.5 0.5 0.4 0.4\n", NO_CLASS),
    _label("class-in-other-digits", "\u0660 0.5 0.5 0.4 0.4\n", NO_CLASS),
    _label("nan", "0 nan 0.5 0.4 0.4\n", NO_BOX),
    _label("1e999", "0 1e999 0.5 0.4 0.4\n", NO_BOX),
    _label("pixels", "0 320 240 100 80\n", NO_BOX),
    _label("commas", "0,0.5,0.5,0.4,0.4\n", NO_BOX),
    _label("a-row-of-9-mb", "0 " + "0.5 " * 2_000_000 + "\n", ("enclosing_box", "image_left_empty", "tiny_box")),
    _label("nul-bytes", "0 0.5\0 0.5 0.4 0.4\n", NO_BOX),
    _label("not-utf-8", b"\xff\xfe0\x00 \x000\x00", UNREADABLE),
    _label("over-10-mb", b" " * 10_000_001, UNREADABLE),
    _label("an-escape-as-class", "\x1b[2J 0.5 0.5 0.4 0.4\n", NO_CLASS),
    _label("one-line-end-of-old-macs", "0 0.5 0.5 0.4 0.4\r0 0.2 0.2 0.1 0.1", ()),
    _yolo("label-is-a-pipe", {}, UNREADABLE, lambda d: os.mkfifo(d / "labels/bad.txt")),
    _yolo("label-is-a-folder", {}, ("image_without_annotation",), lambda d: (d / "labels/bad.txt").mkdir()),
    _yolo("label-is-a-link-to-nowhere", {}, UNREADABLE, lambda d: (d / "labels/bad.txt").symlink_to("gone")),
    _yolo(
        "label-without-its-image",
        {"labels/lost.txt": GOOD_ROW},
        ("box_of_dropped_image", "image_without_annotation", "missing_image"),
    ),
    _yolo(
        "image-without-a-size",
        {"images/bad.jpg": b"", "labels/bad.txt": GOOD_ROW},
        ("box_of_dropped_image", "unreadable_image"),
    ),
    _yolo("classes-txt-contradicts", {"classes.txt": "cat\nmouse\n", "labels/bad.txt": GOOD_ROW}, INGEST),
    _yolo(
        "classes-txt-with-a-gap",
        {"data.yaml": "names: [cat, '']\n", "classes.txt": "cat\n\n", "labels/bad.txt": "1 0.5 0.5 0.2 0.2\n"},
        INGEST,
    ),
    _names("yaml-tag-that-runs-python", "names: !!python/object/apply:os.system ['touch ran']\n", NO_CLASS),
    _names("yaml-alias-bomb", _BOMB + "names: *i\n"),
    _names("yaml-alias", "x: &x [cat, dog]\nnames: *x\n"),
    _names("yaml-deep-nesting", "names: " + "[" * 100_000 + "]" * 100_000),
    _names("yaml-truncated", "names: [cat, 'do"),
    _names("yaml-tabs", "names:\n\t- cat\n"),
    _names("yaml-nul", "names: [c\0t]\n"),
    _names("yaml-not-utf-8", "names: [Käse]\n".encode("latin-1")),
    _names("yaml-two-documents", "names: [cat]\n---\nnames: [dog]\n"),
    _names("yaml-empty", ""),
    _names("yaml-over-250-kb", "names: [" + "cat, " * 60_000 + "]\n"),
    _names("names-missing", "nc: 2\n"),
    _names("names-is-a-word", "names: cat\n"),
    _names("names-of-lists", "names: [[cat], [dog]]\n"),
    _names("names-with-gaps", "names: {0: cat, 5: dog}\n", NO_CLASS),
    _names("names-numbered-by-words", "names: {cat: 0, dog: 1}\n"),
    _names("names-numbered-twice-in-two-ways", "names: {0: cat, 1: dog, 1.0: mouse}\n"),
    _names("names-numbered-twice", "names: {0: cat, 1: dog, 0: mouse}\n"),
    _names("names-twice", "names: [cat, cat]\n", ()),
    _names("names-empty-one", "names: [cat, '']\n", ("empty_class_name", "image_left_empty")),
    _names("names-with-an-escape", 'names: [cat, "\\e[2J\\x9b31m\\u202edog"]\n', ()),
    _yolo(
        "names-with-two-extensions",
        {"labels/bad.jpg.txt": "1 0.5 0.5 0.2 0.2\n", "labels/bad.txt": GOOD_ROW},
        (),
        lambda d: picture(d / "images/bad.jpg.jpg"),
    ),
    _names("paths-that-climb-out", "path: ../../../etc\ntrain: /etc\nnames: [cat, dog]\n", ("given_split_unused",)),
    _names("split-list-that-climbs-out", f"{GOOD_YAML}train: ../../../etc/passwd.txt\n", ("given_split_unused",)),
    _yolo(
        "split-list-is-a-pipe",
        {"data.yaml": f"{GOOD_YAML}train: train.txt\n", "labels/bad.txt": GOOD_ROW},
        ("given_split_unused",),
        lambda d: os.mkfifo(d / "train.txt"),
    ),
    _yolo(
        "split-list-is-not-text",
        {"data.yaml": f"{GOOD_YAML}train: train.txt\n", "train.txt": b"\xff\xfe", "labels/bad.txt": GOOD_ROW},
        INGEST,
    ),
    _yolo(
        "split-of-an-escape",
        {"data.yaml": f'{GOOD_YAML}train: "\\e[2Jgone"\n', "labels/bad.txt": GOOD_ROW},
        ("given_split_unused",),
    ),
]
