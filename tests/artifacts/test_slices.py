"""slices.json keeps its keys on disk, and older runs have none."""

import json
from pathlib import Path

import pytest

from tasks.artifacts.analysis import Interval
from tasks.artifacts.slices import SliceFigures, Slices, read_slices, write_slices
from tasks.errors import FormatError


def figures(**changes: object) -> SliceFigures:
    usual: dict[str, object] = {
        "divided_by": "brightness", "title": "dark images", "rule": "10 to 80 of 255", "images": 12, "boxes": 40,
        "mean_ap": 0.31, "mean_ap_interval": Interval(0.2, 0.4), "ap50": 0.6, "shared_ap": 0.31, "rest_ap": 0.48,
        "p_value": 0.01, "surely_worse": True,
    }  # fmt: skip
    return SliceFigures.model_validate(usual | changes)


def test_slices_come_back_as_they_were_written(tmp_path: Path) -> None:
    slices = Slices(tested=[figures()], left_out=["camera east: in 2 images"])
    write_slices(tmp_path, slices)
    assert read_slices(tmp_path) == slices
    (row,) = json.loads((tmp_path / "slices.json").read_text())["tested"]
    assert {"mAP", "mAP_interval", "AP50", "AP50_interval", "mAP_rest", "mAP_shared_classes", "p_value"} <= row.keys()


def test_a_run_of_an_older_version_has_no_slices(tmp_path: Path) -> None:
    assert read_slices(tmp_path) == Slices()


def test_a_broken_file_names_the_stage(tmp_path: Path) -> None:
    (tmp_path / "slices.json").write_text('{"tested": [{"title": 3}]}')
    with pytest.raises(FormatError, match="not what the evaluate stage writes"):
        read_slices(tmp_path)


def test_the_largest_difference_comes_first() -> None:
    near, far = figures(title="near", rest_ap=0.35), figures(title="far", rest_ap=0.9)
    chance = figures(title="chance", surely_worse=False)
    assert [each.title for each in Slices(tested=[near, chance, far]).surely_worse] == ["far", "near"]
