"""A folder of empty files."""

import pytest


@pytest.fixture
def tree(tmp_path):
    """Makes empty files below a folder and returns the folder."""

    def make(*names):
        for name in names:
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "data"

    return make
