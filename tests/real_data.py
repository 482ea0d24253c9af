"""Real data sets, for tests that want them; they are no part of the project."""

from pathlib import Path

import pytest

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
needs_datasets = pytest.mark.skipif(not DATASETS.is_dir(), reason="the real data sets are not beside the repository")
