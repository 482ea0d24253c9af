"""The page of the chosen photos: what strangers wrote is escaped, and nothing is loaded from elsewhere."""

import base64
import io
import re
from pathlib import Path
from typing import Any

from PIL import Image

from tasks.artifacts.suggestions import LeftOut, Suggestion, Suggestions
from tasks.dataset.detections import Detections
from tasks.selection.page import suggestions_page
from tests.metrics.cases import detect
from tests.selection.photos import photo

EVIL = '<img src=x onerror=alert(1)>"&\u202e.png'


def suggestions(*photos: Suggestion, **more: Any) -> Suggestions:
    given = {"folder": "photos", "model": "m", "model_checksum": "0", "count": 5, "random_share": 0.2, "seed": 1}
    return Suggestions(**{**given, "labelled": 7, "candidates": 9, "photos": list(photos), "left_out": [], **more})


def suggestion(image: str, rank: int = 1, **more: Any) -> Suggestion:
    given = {"reason": "unsure", "uncertainty": 2.25, "distance": 0.5, "nearest": "near.png"}
    return Suggestion(**{"rank": rank, "image": image, **given, **more})


def page(found: Suggestions, paths: dict[str, Path], detections: Detections | None = None) -> str:
    seen = detections or detect(((10, 10, 50, 40), "cat", 0.6))
    return suggestions_page(found, paths, dict.fromkeys(paths, seen), ("cat",), "make annotate IMAGES=photos")


def test_names_are_escaped_and_the_browser_may_load_nothing(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png", 1)
    left = LeftOut(image=EVIL, why="unreadable", detail="<script>alert(2)</script>")
    found = suggestions(suggestion(EVIL, nearest=EVIL), folder=EVIL, left_out=[left])
    text = page(found, {EVIL: path})
    assert "<img src=x" not in text
    assert "<script" not in text
    assert "\u202e" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "default-src 'none'; img-src data:" in text
    assert not re.search(r'(src|href)="(?!data:)', text)


def test_rank_reason_and_picture_of_each_photo_are_shown_in_order(tmp_path: Path) -> None:
    paths = {name: photo(tmp_path / name, seed) for seed, name in enumerate(("a.png", "b.png", "c.png"))}
    found = suggestions(
        suggestion("b.png", 1), suggestion("a.png", 2, reason="unlike"), suggestion("c.png", 3, reason="random")
    )
    text = page(found, paths)
    assert text.count("data:image/jpeg;base64,") == 3
    shown = re.findall(r'<b>(\d)</b> <bdi class="name" title="(\w\.png)">.*?</bdi>(.*?);', text)
    assert [(rank, name) for rank, name, _ in shown] == [("1", "b.png"), ("2", "a.png"), ("3", "c.png")]
    assert [words for *_, words in shown] == [
        "the model is unsure of what it finds here",
        "unlike all photos that are labelled or ranked before",
        "drawn at random, to judge the others by",
    ]
    assert "uncertainty 2.2, distance 0.50 to <bdi>near.png</bdi>" in text
    assert "3 of 9 photos in photos, compared with 7 labelled photos" in text


def test_a_photo_that_went_meanwhile_has_no_picture(tmp_path: Path) -> None:
    text = page(suggestions(suggestion("gone.png")), {"gone.png": tmp_path / "gone.png"})
    assert "no picture" in text
    assert "data:image/jpeg" not in text


def test_boxes_are_drawn_on_the_upright_photo(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = photo(tmp_path / "turned.jpg", 1, exif=exif)
    text = page(suggestions(suggestion("turned.jpg")), {"turned.jpg": path}, detect(((5, 5, 60, 90), "cat", 0.6)))
    (content,) = re.findall(r"data:image/jpeg;base64,([\w+/=]+)", text)
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert image.size == (64, 96)


def test_what_was_left_out_is_counted_by_reason() -> None:
    rows = [LeftOut(image=f"{number}.png", why="labelled", detail="a.png") for number in range(60)]
    text = page(suggestions(left_out=[*rows, LeftOut(image="v.mp4", why="video")]), {})
    assert "<summary>labelled already: 60</summary>" in text
    assert "and 10 more, in suggest.json" in text
    assert "<summary>videos: 1</summary>" in text
