import json
from pathlib import Path

import pytest

from tasks.artifacts.base import read_base_description
from tasks.errors import CheckpointError
from tests.artifacts.base_descriptions import base_description, describe_base


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    describe_base(tmp_path, "none", fallback="it does not fit")
    assert read_base_description(tmp_path) == base_description("none", fallback="it does not fit")


def test_only_a_fallback_has_its_key(tmp_path: Path) -> None:
    describe_base(tmp_path)
    assert set(json.loads((tmp_path / "base.json").read_text())) == {
        *("kind", "model", "source", "origin", "sha256", "licence")
    }


def test_a_missing_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"base\.json: no such file; run `dvc repro`"):
        read_base_description(tmp_path)
