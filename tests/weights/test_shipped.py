"""The files in weights/ themselves."""

from pathlib import Path

import pytest

from tasks.model.definitions import MODELS
from tasks.weights.shipped import FOLDER, FPNLITE, IMAGENET, MOBILENET_V1, SSD, models_of, read_shipped

NAMES = (FPNLITE, SSD, MOBILENET_V1, IMAGENET)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_file_is_what_its_card_says(name: str) -> None:
    arrays, card = read_shipped(name)
    assert card.name == name
    assert (card.arrays, card.parameters) == (len(arrays), sum(array.size for array in arrays.values()))
    assert card.bytes == (FOLDER / f"{name}.npz").stat().st_size <= 10_000_000
    assert card.fits == models_of(name) != []
    assert (FOLDER / f"{name}.md").read_text() == card.markdown()
    assert card.licence in card.markdown()
    assert card.sha256 in card.markdown()


def test_the_texts_of_all_licences_are_there() -> None:
    texts = (FOLDER / "LICENSES.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in texts] == []
    assert "Copyright (c) Vladimir Mandic" in texts
    assert "Copyright (c) Soumith Chintala 2016" in texts


def test_every_file_there_is_one_of_these() -> None:
    assert {path.stem for path in FOLDER.glob("*.npz")} == set(NAMES)
    assert {path.stem for path in FOLDER.glob("*.json")} == set(NAMES)


def test_every_mobilenet_has_a_base() -> None:
    with_base = {model for name in (FPNLITE, SSD, MOBILENET_V1) for model in models_of(name)}
    # Of this one ImageNet's weights are the best that there are (tests/stages/checkpoint/test_shipped_base.py).
    with_base.add("centernet_mobilenet_v2_fpn_512x512")
    assert with_base == {name for name, model in MODELS.items() if model.backbone.startswith("mobilenet")}


def test_only_the_ssd_has_a_class_head() -> None:
    classes = {name: read_shipped(name)[1].classes for name in NAMES}
    assert [name for name in NAMES if classes[name]] == [SSD]
    assert len(classes[SSD]) == 23
    assert {"Person", "Car", "Bottle", "Coffee cup"} <= set(classes[SSD])


def test_the_folders_page_names_every_file() -> None:
    page = (FOLDER / "README.md").read_text()
    assert all(f"`{name}.npz`" in page or f"`{name}`" in page for name in NAMES)
    assert Path(FOLDER / "README.md").is_file()
