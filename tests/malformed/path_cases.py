"""Annotations that name images where none ought to be looked for, or none at all."""

from collections.abc import Callable
from pathlib import Path

from tests.malformed.case import Case, good_voc, picture, voc_xml


def _named(
    name: str,
    written: str,
    ends: tuple[str, ...] | str,
    add: Callable[[Path], object] | None = None,
) -> Case:
    def make(folder: Path) -> None:
        good_voc(folder / "data")
        (folder / "data" / "bad.xml").write_text(voc_xml(filename=written), encoding="utf-8")
        if add is not None:
            add(folder)

    return Case(name, "paths", make, ends)


def _linked_image(folder: Path) -> None:
    (folder / "data" / "bad.jpg").symlink_to(picture(folder / "outside" / "secret.jpg"))


def _linked_folder(folder: Path) -> None:
    (folder / "data" / "more").symlink_to(picture(folder / "outside" / "bad.jpg").parent)


def _linked_guess(folder: Path) -> None:
    (folder / "data" / "images").symlink_to(picture(folder / "outside" / "bad.jpg").parent)


def _loop(folder: Path) -> None:
    (folder / "data" / "more").symlink_to(folder / "data")
    picture(folder / "data" / "bad.jpg")


def _twice(folder: Path) -> None:
    picture(folder / "data" / "bad.jpg")
    (folder / "data" / "worse.xml").write_text(voc_xml(filename="bad.jpg"), encoding="utf-8")


def _two_folders(folder: Path) -> None:
    picture(folder / "data" / "a" / "bad.jpg")
    picture(folder / "data" / "b" / "bad.jpg")


def _own(folder: Path) -> None:
    picture(folder / "data" / "bad.jpg")


def _stale_copies(folder: Path) -> None:
    picture(folder / "data" / "bad.jpg")
    for leftover in (".ipynb_checkpoints", "__MACOSX", ".git/x"):
        path = folder / "data" / leftover / "bad-checkpoint.xml"
        path.parent.mkdir(parents=True)
        path.write_text(voc_xml(filename="bad.jpg", name="stale"), encoding="utf-8")
    (folder / "data" / "._bad.xml").write_bytes(b"\x00\x05\x16\x07")
    (folder / "data" / ".idea").mkdir()
    (folder / "data" / ".idea" / "misc.xml").write_text("<project/>", encoding="utf-8")


def _uploads(folder: Path) -> None:
    for name in ("IMG 1 (1).jpg", "IMG_1_1.jpg"):
        picture(folder / "data" / name)


def _renumbered(folder: Path) -> None:
    _own(folder)
    for number in range(1, 4):
        picture(folder / "data" / f"{number}.jpg")
        xml = voc_xml(filename=f"{number % 3 + 1}.jpg")
        (folder / "data" / f"{number}.xml").write_text(xml, encoding="utf-8")


OUTSIDE = ("box_of_dropped_image", "path_outside_root")
MISSING = ("box_of_dropped_image", "missing_image")

CASES = [
    _named("climbs-out", "../../../etc/passwd", OUTSIDE),
    _named("climbs-out-to-an-image", "../outside/secret.jpg", OUTSIDE, lambda f: picture(f / "outside" / "secret.jpg")),
    _named("climbs-out-with-backslashes", "..\\..\\outside\\secret.jpg", OUTSIDE),
    _named("absolute", "/etc/passwd", OUTSIDE),
    _named("windows-drive", "C:\\..\\secret.jpg", OUTSIDE),
    _named("windows-drive-of-whoever-labelled", "C:\\Users\\me\\bad.jpg", (), lambda f: picture(f / "data/bad.jpg")),
    _named("unc", "\\\\server\\share\\secret.jpg", OUTSIDE),
    _named("a-link-out", "bad.jpg", OUTSIDE, _linked_image),
    _named(
        "a-linked-folder-out", "bad.jpg", ("box_of_dropped_image", "missing_image", "path_outside_root"), _linked_folder
    ),
    _named(
        "a-linked-folder-out-where-images-usually-are",
        "bad.jpg",
        ("box_of_dropped_image", "missing_image", "path_outside_root"),
        _linked_guess,
    ),
    _named("a-linked-folder-in-a-loop", "bad.jpg", (), _loop),
    _named("a-link-to-nowhere", "bad.jpg", MISSING, lambda f: (f / "data/bad.jpg").symlink_to("gone.jpg")),
    _named("a-folder-called-like-the-image", "bad.jpg", MISSING, lambda f: (f / "data/bad.jpg").mkdir()),
    _named(
        "a-folder",
        "more",
        (*MISSING[:1], "image_without_annotation", *MISSING[1:]),
        lambda f: picture(f / "data/more/other.png") and None,
    ),
    _named("no-image", "bad.jpg", MISSING),
    _named("no-filename-and-no-image", "", MISSING),
    _named("no-filename", "", (), lambda f: picture(f / "data/bad.jpg")),
    _named("another-extension", "bad.png", ("renamed_image",), lambda f: picture(f / "data/bad.jpg")),
    _named("another-case", "BAD.JPG", ("renamed_image",), lambda f: picture(f / "data/bad.jpg")),
    _named("an-image-annotated-twice", "bad.jpg", ("box_of_dropped_image", "image_annotated_twice"), _twice),
    _named(
        "two-images-of-one-name",
        "bad.jpg",
        ("ambiguous_image", "box_of_dropped_image", "image_without_annotation"),
        _two_folders,
    ),
    _named("name-of-5000-letters", "a" * 5000 + ".jpg", MISSING),
    _named("name-with-a-newline", "bad\ndone.jpg", MISSING),
    _named("name-with-right-to-left-override", "bad\u202egpj.jpg", MISSING),
    _named("only-dots", "...", MISSING),
    _named("this-folder", ".", MISSING),
    _named("an-address", "http://192.0.2.1/bad.jpg", MISSING),
    _named("an-address-of-the-image", "http://192.0.2.1/sets/bad%2Ejpg?x=1", ("renamed_image",), _own),
    _named(
        "encoded-climbing-out",
        "%2e%2e%2f%2e%2e%2foutside%2fsecret.jpg",
        MISSING,
        lambda f: picture(f / "outside/secret.jpg"),
    ),
    _named("ten-thousand-addresses", "/data/local-files/?" * 10_000 + ".jpg", OUTSIDE),
    _named("stale-copies-in-hidden-folders", "bad.jpg", (), _stale_copies),
    _named("another-image-that-is-missing", "gone.jpg", ("renamed_image",), _own),
    _named("another-image-that-climbs-out", "../../gone.jpg", ("renamed_image",), _own),
    _named("another-image-that-is-there", "good.jpg", "refused by validate", _own),
    _named("a-renumbered-set", "bad.jpg", "refused by validate", _renumbered),
    _named("an-upload", "ab12cd34-bad.jpg", ("renamed_image",), _own),
    _named(
        "an-upload-of-one-of-two",
        "ab12cd34-IMG_1_1.jpg",
        ("ambiguous_image", "box_of_dropped_image", "image_without_annotation"),
        _uploads,
    ),
    _named("percent-encoded", "b%61d.jpg", ("renamed_image",), _own),
    _named(
        "encoded-as-latin-1",
        "b%E4d.jpg",
        (*MISSING[:1], "image_without_annotation", *MISSING[1:]),
        lambda f: picture(f / "data/b\ufffdd.jpg") and None,
    ),
    _named("unicode-of-another-form", "cafe\u0301.jpg", (), lambda f: picture(f / "data/caf\u00e9.jpg")),
]
