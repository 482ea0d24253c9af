import json
from pathlib import Path

import pytest

from tasks.artifacts.training import (
    RestoredComponent,
    RestoreSummary,
    read_freeze_audits,
    read_restore_summary,
    read_training_figures,
    write_freeze_audits,
    write_restore_summary,
    write_training_figures,
)
from tasks.errors import DataError, FormatError
from tests.artifacts.training_files import figures_of_a_run, module_audit


@pytest.mark.parametrize("gpu_mb", [None, 512.5])
def test_figures_read_back_as_they_were_written(tmp_path: Path, gpu_mb: float | None) -> None:
    figures = figures_of_a_run(peak_gpu_memory_mb=gpu_mb, best_mAP=None)
    write_training_figures(tmp_path / "train.json", figures)
    assert read_training_figures(tmp_path / "train.json") == figures
    content = json.loads((tmp_path / "train.json").read_text())
    assert ("peak_gpu_memory_mb" in content) == (gpu_mb is not None)
    assert content["best_mAP"] is None


def test_a_missing_figure_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.json: no such file; run `dvc repro`"):
        read_training_figures(tmp_path / "train.json")
    (tmp_path / "train.json").write_text("{}")
    with pytest.raises(FormatError, match=r"train\.json: not what the train stage writes: steps: Field required"):
        read_training_figures(tmp_path / "train.json")


def test_restore_summary_and_freeze_audit_read_back_as_they_were_written(tmp_path: Path) -> None:
    assert read_restore_summary(tmp_path) is None
    assert read_freeze_audits(tmp_path) == []
    rows = [
        RestoredComponent(module="backbone", variables=260, restored=260, new=0, mismatched=0),
        RestoredComponent(module="class_head", variables=3, restored=0, new=2, mismatched=1),
    ]
    summary = RestoreSummary(source="base", modules=rows, mismatched=["key: why"], left_over=["model/x"])
    write_restore_summary(tmp_path, summary)
    audits = [[module_audit(), module_audit(module="box_head")], [module_audit()]]
    write_freeze_audits(tmp_path, audits)
    assert read_restore_summary(tmp_path) == summary
    assert read_freeze_audits(tmp_path) == audits
    assert summary.total == RestoredComponent(module="all", variables=263, restored=260, new=2, mismatched=1)
