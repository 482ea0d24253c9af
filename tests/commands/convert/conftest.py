"""What is converted."""

from pathlib import Path

import pytest
from PIL import Image

from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import Dataset
from tests.commands.convert.conversions import image


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a COCO file that has something which each other format cannot hold."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (64, 48)).save(f"photos/{name}.jpg")
    first = image("a.jpg", ("dog", [1, 2, 30, 40]), ("cat", [1, 2, 70, 40]), size=(64, 48), difficult=[0], iscrowd=[1])
    write_coco(Dataset(Path("photos"), ("dog", "cat", "bird"), (first, image("b.jpg"))), Path("labels.json"))
    return tmp_path
