"""What stands beside the data: params.yaml, splits.json, lists of a given split, and names that act on a terminal."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.malformed.case import GATE, ROOT, Case, picture, voc_xml

SPLIT = "refused by split"
INGEST = "refused by ingest"
STAGES = (*GATE, "split")
HOSTILE_NAME = "<script>alert(1)</script>\u202etac\x9b2J\u2028"


def _photos(folder: Path, name: str = "cat") -> None:
    """Twelve pictures that do not look alike, with one object each."""
    for i in range(12):
        picture(folder / "data" / f"{i}.png", (64 + i, 48))
        xml = voc_xml(filename=f"{i}.png", name=name, size=f"<width>{64 + i}</width><height>48</height>")
        (folder / "data" / f"{i}.xml").write_text(xml, encoding="utf-8")


def _params(name: str, text: str | bytes, add: Callable[[Path], None] = _photos) -> Case:
    raw = text if isinstance(text, bytes) else text.encode()
    return Case(name, "params", add, INGEST, ("ingest",), params=raw)


def _changed(name: str, old: str, new: str) -> Case:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert old in text
    return _params(name, text.replace(old, new))


def _memory(name: str, content: bytes | Callable[[Path], object], ends: tuple[str, ...] | str = SPLIT) -> Case:
    def make(folder: Path) -> None:
        _photos(folder)
        if isinstance(content, bytes):
            (folder / "splits.json").write_bytes(content)
        else:
            content(folder / "splits.json")

    return Case(
        name,
        "split memory",
        make,
        ends,
        STAGES,
        params={"split": {"near_duplicate_distance": 0, "frame_run_distance": 0}},
    )


def _remembered(name: str, parts: object, ends: tuple[str, ...] | str = SPLIT) -> Case:
    rule = {"seed": 1, "val_fraction": 0.15, "test_fraction": 0.2}
    return _memory(name, json.dumps({"rule": rule, "parts": parts}).encode(), ends)


def _list(name: str, content: bytes | Callable[[Path], object], ends: tuple[str, ...] | str) -> Case:
    def make(folder: Path) -> None:
        _photos(folder)
        path = folder / "data" / "ImageSets" / "Main" / "test.txt"
        path.parent.mkdir(parents=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)

    return Case(
        name,
        "given split",
        make,
        ends,
        STAGES,
        params={"split": {"near_duplicate_distance": 0, "frame_run_distance": 0}},
    )


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES = [
    _params("empty", ""),
    _params("a-list", "[1, 2]\n"),
    _params("truncated", "ingest: {source: data"),
    _params("not-utf-8", b"ingest: {source: K\xe4se}\n"),
    _params("nul-bytes", "ingest: {source: a\0b}\n"),
    _params("runs-python", "!!python/object/apply:os.system ['touch ran']\n"),
    _params("alias-bomb", _BOMB + "ingest: *i\n"),
    _params("an-alias-of-itself", "&a {ingest: *a}\n"),
    _params("deep-nesting", "ingest: " + "[" * 3000 + "]" * 3000),
    _params("a-date-that-is-none", "ingest: {source: 2020-99-99}\n"),
    _params("tagged-a-number-and-empty", "ingest: {source: !!int ''}\n"),
    _params("tagged-a-bool-and-none", "ingest: {source: !!bool perhaps}\n"),
    _params("tagged-a-date-and-none", "ingest: {source: !!timestamp soon}\n"),
    _params("a-number-that-is-none", 'ingest: {source: !!int "many"}\n'),
    _params("a-list-as-a-key", "? [a, b]\n: 1\n"),
    _changed("a-word-for-a-number", "seed: 1", "seed: one"),
    _changed("a-misspelt-key", "on_problem:", "on_problme:"),
    _changed("a-list-for-a-path", "source: data/sample", "source: [data]"),
    _changed("a-nul-in-a-path", "source: data/sample", 'source: "da\\0ta"'),
    _changed("nan-for-a-fraction", "val_fraction: 0.15", "val_fraction: .nan"),
    _changed("a-class-that-is-no-kind", "policy: {}", "policy: {[a]: drop}"),
    _memory("not-json", b"{"),
    _memory("empty", b""),
    _memory("not-utf-8", b"\xff\xfe{}"),
    _memory("a-list", b"[]"),
    _memory("deep-nesting", b'{"parts":' + b"[" * 200_000),
    _memory("a-folder", lambda path: path.mkdir()),
    _remembered("parts-is-a-list", ["train"]),
    _remembered("parts-of-numbers", {"train": [1, 2]}),
    _remembered("parts-of-lists", {"train": [["a"]]}),
    _remembered("parts-of-text", {"train": "abc"}),
    _remembered("a-part-that-is-none", {"holdout": ["a" * 64]}),
    _remembered("an-image-in-two-parts", {"train": ["a" * 64], "test": ["a" * 64]}),
    _list("a-picture-as-a-list", b"\x89PNG\r\n\x1a\n\xff", INGEST),
    _list("a-list-of-50-mb", b"0\n" * 25_000_001, INGEST),
    _list("a-list-of-junk", b"../../etc/passwd\n\0\0\n \n0 -1 extra\n\x1b[2J\n3.png\n", ()),
    _list("a-list-that-is-a-folder", lambda path: path.mkdir(), ()),
    _list("a-list-that-is-a-link-to-nowhere", lambda path: path.symlink_to("gone"), ()),
    Case(
        "name-that-acts-on-what-shows-it",
        "names",
        lambda folder: _photos(folder, HOSTILE_NAME.replace("<", "&lt;")),
        (),
        STAGES,
        params={"split": {"near_duplicate_distance": 0, "frame_run_distance": 0}},
    ),
    Case(
        "name-that-stops-the-gate",
        "names",
        lambda folder: _photos(folder, HOSTILE_NAME.replace("<", "&lt;")),
        "refused by validate",
        STAGES,
        params={"validate": {"min_boxes_per_class": 99, "on_problem": "fail"}},
    ),
]
