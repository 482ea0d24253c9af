from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts.base import write_arrays
from tasks.dataset.splits import SPLITS
from tests.artifacts.base_descriptions import describe_base
from tests.lint.pictures import picture
from tests.stages.configure.configured import BASE, write, write_split


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's root with records of two classes and weights that are no checkpoint, as working directory."""
    monkeypatch.chdir(tmp_path)
    write(Path("data/records/label_map.pbtxt"), "item { id: 1 name: 'mug' }\nitem { id: 2 name: 'hat' }\n")
    for split in SPLITS:
        write_split(split, [picture(("mug", 40, 40), ("hat", 80, 80))] * 6)
    write_arrays({"Conv1/kernel": np.zeros(1, np.float32)}, describe_base(BASE, source="imagenet"))
    return tmp_path
