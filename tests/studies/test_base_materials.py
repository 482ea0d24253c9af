"""Packages of cut-outs and backgrounds: checked, read without trust, and made into a library."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studies.base.classes import Classes, emoji_name, read_classes
from studies.base.library import PICTURES, Library
from studies.base.materials import read_materials
from studies.base.preparation import cut_out, prepare
from studies.objectron import OBJECTRON
from tasks.errors import FormatError, ParamsError
from tests.studies.base_materials import png, surface, thing, write_package

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "base"
CLASSES = Classes(
    {"ball": "ball", "house": "house", "hot dog": "sandwich", "dog": "dog", "symbol": "none"}, {"birds": "bird"}
)


def things(**more: bytes) -> dict[str, bytes]:
    """Four balls, each another size, and what else there is."""
    return {f"x/ball_{side}.png": png(thing("ball", side)) for side in (80, 90, 100, 110)} | more


def jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def test_packages_become_a_library(tmp_path: Path) -> None:
    packages = [
        write_package(tmp_path, things()),
        write_package(
            tmp_path, {"a.jpg": jpeg(surface(1)), "b.jpg": jpeg(surface(2, 2000, 900))}, kind="photo", name="p"
        ),
        write_package(tmp_path, {"wall.png": png(surface(3))}, kind="texture", name="t"),
    ]
    figures = prepare(packages, CLASSES, tmp_path)
    library = Library(tmp_path)
    assert (figures["cut-outs"], figures["classes"], figures["backgrounds"]) == (4, 1, 3)
    assert library.names == ("ball",)
    assert sorted((photo.width, photo.height) for photo in library.photos) == [(320, 240), (1600, 720)]
    assert [library.cut_out(number).mode for number in range(4)] == ["RGBA"] * 4
    # Its transparent margin is gone.
    assert library.cut_out(0).size == (72, 72)


def test_what_shows_no_thing_is_counted_and_left_out(tmp_path: Path) -> None:
    lines = Image.new("RGBA", (100, 100))
    lines.paste((0, 0, 0, 255), (0, 0, 100, 3))
    lines.paste((0, 0, 0, 255), (0, 0, 3, 100))
    package = write_package(
        tmp_path,
        things(
            **{
                "x/ball_rectangle.png": png(Image.new("RGBA", (90, 90), (1, 2, 3, 255))),
                "x/ball_lines.png": png(lines),
                "x/ball_tiny.png": png(thing("ball", 20)),
                "x/ball_opaque.png": png(surface(1)),
                "x/ball_again.png": png(thing("ball", 80)),
                "x/ball_broken.png": png(thing("ball", 84))[:60],
                "x/ball_bw.png": png(thing("ball", 86)),
                "x/ball.svg": b"<svg/>",
                "x/unknown.png": png(thing("star")),
            }
        ),
    )
    background = write_package(tmp_path, {"a.png": png(thing("ball", 300))}, kind="texture", name="t")
    figures = prepare([package, background], CLASSES, tmp_path)
    assert figures["cut-outs"] == 4
    reasons = str(figures["left out"])
    for reason in (
        "a rectangle", "lines only", "too small", "no transparent background", "the same as another", "not a picture",
        "no class", "transparent",
    ):  # fmt: skip
        assert reason in reasons
    assert len(list((tmp_path / PICTURES).iterdir())) == 4


def test_a_path_in_a_package_names_no_file_outside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "materials"
    package = write_package(folder, {"../../../ball.png": png(thing("ball")), "/etc/ball.png": png(thing("ball", 90))})
    prepare([package, write_package(folder, things(), name="more")], CLASSES, folder)
    assert {path.name for path in tmp_path.iterdir()} == {"materials"}
    assert all(path.parent == folder / PICTURES for path in folder.rglob("*ball*.png"))


def test_a_cut_out_is_no_larger_than_it_is_ever_shown() -> None:
    assert cut_out(thing("ball", 1500)).size == (320, 320)


def test_a_palette_with_a_transparent_entry_is_a_cut_out() -> None:
    palette = Image.fromarray(np.where(np.hypot(*np.mgrid[-50:50, -50:50]) < 40, 1, 0).astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 200, 30, 30])
    palette.info["transparency"] = 0
    assert cut_out(palette).size == (79, 79)
    with pytest.raises(FormatError, match="no transparent background"):
        cut_out(surface(1))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("red_ball_01.png", "ball"),
        ("hot_dog.png", "sandwich"),
        ("dog.png", "dog"),
        ("birds/heron.png", "bird"),
        ("birds/house.png", "house"),
        ("balloon.png", None),
        ("ball_symbol.png", None),
        ("", None),
    ],
)
def test_the_longest_phrase_decides_the_class(name: str, label: str | None) -> None:
    assert CLASSES.of(name) == label


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/1f431.webp", "cat face"), ("1f469-1f3fb-200d-1f680.webp", "woman"), ("odd.webp", ""), ("ffffffff.webp", "")],
)
def test_an_emojis_name_is_that_of_its_first_sign(path: str, name: str) -> None:
    assert emoji_name(path) == name


def test_two_classes_cannot_ask_for_one_phrase(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text("classes: {a: [one, two], b: [two]}")
    with pytest.raises(ParamsError, match="`two` is a phrase of a and of b"):
        read_classes(tmp_path / "classes.yaml")


def test_the_studys_own_files_are_valid() -> None:
    packages = read_materials(STUDY / "materials.yaml")
    assert {package.kind for package in packages} == {"emoji", "cutout", "photo", "texture"}
    classes = read_classes(STUDY / "classes.yaml")
    assert 60 <= len(set(classes.phrases.values()) - {"none"}) <= 150
    assert classes.of("hot dog") == "burger_or_sandwich"
    assert classes.of("Computer mouse") == "mouse_or_joystick"
    assert classes.of("grinning face with smiling eyes") is None


def test_the_readme_names_every_package() -> None:
    readme = (STUDY / "README.md").read_text()
    for package in [*read_materials(STUDY / "materials.yaml"), OBJECTRON]:
        assert f"`{package.name}` {package.version}" in readme
