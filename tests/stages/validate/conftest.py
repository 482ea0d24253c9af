"""A folder of its own for every test."""

from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    return tmp_path
