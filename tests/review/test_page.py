"""The page: pictures of the right places, names that are never markup, and nothing from elsewhere."""

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tasks.artifacts.review import FoundSuspect, read_kept
from tasks.commands.review import page
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.review.shots import shots_of
from tests.review.chromium import BROWSER, opened

HOSTILE = '</script><img src=x onerror=alert(1)>" onload="x\u202e'


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """A photo of 400 x 300 px, black with a red place at 40..80, 60..100."""
    photo = Image.new("RGB", (400, 300))
    photo.paste((255, 0, 0), (40, 60, 80, 100))
    photo.save(tmp_path / "a.png")
    boxes = as_boxes([[40, 60, 80, 100], [200, 10, 380, 290]])
    digest = hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    image = AnnotatedImage("a.png", 400, 300, boxes, ("cat", "dog"), flags(2), flags(2), sha256=digest)
    return Dataset(tmp_path, ("cat", "dog"), (image,))


def suspect(data: Dataset, **changes: Any) -> FoundSuspect:
    image = data.images[0]
    values = {
        "image": image.file_name,
        "sha256": image.sha256,
        "kind": "wrong_class",
        "class": "cat",
        "box": (40, 60, 80, 100),
        "score": 0.7,
        "seen_class": "dog",
        "seen_box": (42, 60, 84, 100),
        "sentence": "labelled cat, looks like dog",
    }
    return FoundSuspect.model_validate(values | changes)


def test_a_picture_shows_the_label_with_a_margin(data: Dataset) -> None:
    (shot,) = shots_of(data, [suspect(data)], 100)
    assert (shot.left, shot.top) < (40, 60)
    assert shot.left + shot.width > 84
    assert shot.top + shot.height > 100
    assert shot.width / shot.height == pytest.approx(4 / 3, abs=0.05)
    picture = Image.open(io.BytesIO(base64.b64decode(shot.picture)))
    factor = picture.width / shot.width
    middle = picture.getpixel((round((60 - shot.left) * factor), round((80 - shot.top) * factor)))
    edge = picture.getpixel((round((30 - shot.left) * factor), round((80 - shot.top) * factor)))
    assert isinstance(middle, tuple)
    assert isinstance(edge, tuple)
    assert middle[0] > 200
    assert edge[0] < 60


def test_the_label_what_is_seen_and_other_labels_are_told_apart(data: Dataset) -> None:
    own = [suspect(data), suspect(data, kind="missing_box"), suspect(data, seen_class=None, seen_box=None)]
    roles = [[(box.role, box.name) for box in shot.boxes] for shot in shots_of(data, own, 100)]
    assert roles == [
        [("other", ""), ("label", "cat"), ("seen", "dog")],
        [("other", ""), ("other", ""), ("seen", "dog")],
        [("other", ""), ("label", "cat")],
    ]


@pytest.mark.parametrize("box", [(0, 0, 400, 300), (395, 295, 400, 300), (0, 150, 1, 151), (0, 0, 400, 2)])
def test_what_is_shown_lies_in_the_image(box: Any, data: Dataset) -> None:
    (shot,) = shots_of(data, [suspect(data, box=box, seen_box=None)], 100)
    assert shot.picture
    assert 0 <= shot.left <= box[0]
    assert 0 <= shot.top <= box[1]
    assert box[2] <= shot.left + shot.width <= 400
    assert box[3] <= shot.top + shot.height <= 300


@pytest.mark.parametrize("content", [None, b"GIF89a", b"another"], ids=["gone", "damaged", "changed"])
def test_an_image_that_is_not_the_one_has_no_picture(content: bytes | None, data: Dataset) -> None:
    path = data.root / "a.png"
    path.unlink() if content is None else path.write_bytes(content)
    text = page(data, [suspect(data)], 100)
    assert "no picture: the image was changed since, or is not here" in text
    assert "labelled cat, looks like dog" in text


def test_names_from_the_data_are_never_markup_and_nothing_is_asked_for(data: Dataset) -> None:
    image = replace(data.images[0], file_name=f"{HOSTILE}.png", classes=(HOSTILE, "dog"))
    named = Dataset(data.root, (HOSTILE, "dog"), (image,))
    own = suspect(named, **{"class": HOSTILE, "seen_class": HOSTILE, "sentence": f"labelled {HOSTILE}"})
    text = page(named, [own], 100)
    assert "<img src=x" not in text
    assert "\u202e" not in text
    assert text.count("<script>") == text.count("</script>") == 1
    assert not re.findall(r'(?:src|href|url\()\s*=?\s*"?(?!data:)(?:https?:|//|file:)', text)
    assert "default-src 'none'" in text
    kept = json.loads(
        re.findall(r'data-kept="([^"]*)"', text)[0].replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">")
    )
    assert kept["class"] == HOSTILE


def test_each_kind_can_be_chosen_and_no_suspects_are_said_so(data: Dataset) -> None:
    text = page(data, [suspect(data), suspect(data, kind="missing_box"), suspect(data)], 100)
    assert '<option value="missing_box">missing box (1)</option>' in text
    assert '<option value="wrong_class">wrong class (2)</option>' in text
    assert "duplicate box" not in text
    assert "nothing is missing" in text
    assert "3 suspects among the 2 labels of 1 images" in text
    empty = page(data, [], 100)
    assert "No label is suspect." in empty
    assert "<script>" not in empty


@pytest.mark.skipif(not BROWSER, reason="no browser")
def test_keys_turn_pages_and_marked_labels_are_saved(data: Dataset, tmp_path: Path) -> None:
    own = [suspect(data, kind="missing_box" if number == 20 else "wrong_class") for number in range(30)]
    boxes = [(number, 60, number + 40, 100) for number in range(30)]
    own = [each.model_copy(update={"box": box}) for each, box in zip(own, boxes, strict=True)]
    found = opened(page(data, own, 100), tmp_path)
    assert found["first"] == [12, "page 1 of 3"]
    assert found["after j"] == [12, "page 2 of 3"]
    assert found["after right"] == [6, "page 3 of 3"]
    assert found["after k"] == [12, "page 2 of 3"]
    assert found["missing"] == [1, "page 1 of 1"]
    assert found["marked"] == "1 marked as right"
    (tmp_path / "saved.json").write_text(found["saved"])
    assert [(each.kind, each.box) for each in read_kept(tmp_path / "saved.json")] == [
        ("missing_box", (20, 60, 60, 100))
    ]
