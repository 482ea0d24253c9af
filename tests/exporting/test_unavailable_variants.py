"""Variants that a meta-architecture has no form for are left out with a sentence, and the others are made."""

import pytest

from tasks.dataset.dataset import Dataset
from tasks.errors import CheckpointError
from tasks.exporting.tflite_metadata import Metadata
from tasks.exporting.variants import Source, export_variants
from tasks.model.variants import ExportedVariants, export_folder, write_variants
from tests.detector.toy_faster_rcnn import toy_config
from tests.exporting.lenient import Lenient
from tests.exporting.params import export_params
from tests.exporting.photos import CLASSES
from tests.exporting.toy_export import PREPARE, varied_network


@pytest.mark.slow
def test_a_faster_rcnn_has_no_tflite_file_and_each_that_was_asked_for_is_named(tmp_path, capsys):
    config = toy_config(num_classes=3)
    source = Source(varied_network(config), config, Metadata(CLASSES, 0.25, "Finds pets."), PREPARE)
    params = export_params(variants=["float32", "float16", "int8", "onnx"])
    found = export_variants(source, params, Dataset(tmp_path, CLASSES, ()), tmp_path, Lenient())
    assert list(found.written) == ["onnx"]
    assert list(found.left_out) == ["float32", "float16", "int8"]
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    lines = capsys.readouterr().out.splitlines()
    assert "export: model.onnx is written in place of them" not in lines
    for file in ("model.tflite", "model_float16.tflite", "model_int8.tflite"):
        assert f"export: {file} is left out: the OD API has no TFLite form of Faster R-CNN" in lines
    (tmp_path / "model.onnx").unlink()
    params = export_params(variants=["float32", "int8"])
    found = export_variants(source, params, Dataset(tmp_path, CLASSES, ()), tmp_path, Lenient())
    assert list(found.written) == ["onnx"]
    assert list(found.left_out) == ["float32", "int8"]
    assert "export: model.onnx is written in place of them" in capsys.readouterr().out.splitlines()


def test_a_file_that_was_left_out_is_missing_for_the_reason_that_export_gave(tmp_path):
    write_variants(tmp_path, ExportedVariants(written={}, left_out={"float32": "there is no such form"}))
    with pytest.raises(CheckpointError, match=r"model\.tflite: left out at export: there is no such form"):
        export_folder(tmp_path / "model.tflite")
    with pytest.raises(CheckpointError, match=r"add float16 to export\.variants"):
        export_folder(tmp_path / "model_float16.tflite")
