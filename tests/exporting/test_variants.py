"""The TFLite variants of a network: what they take and give, what their files carry, which of them are shipped."""

import io
import zipfile

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from tasks.dataset.dataset import Dataset
from tasks.errors import CheckpointError
from tasks.evaluation.exported import load_exported
from tasks.evaluation.saved_model import load_saved_model
from tasks.evaluation.tflite_model import TFLiteDetector, load_tflite
from tasks.exporting.edge_tpu import edge_tpu_fallbacks
from tasks.exporting.equalise import equalise
from tasks.exporting.interpreter import every_tensor
from tasks.exporting.saved_model import export_saved_model, lay_out_for_serving
from tasks.exporting.tflite_metadata import Metadata, with_metadata
from tasks.exporting.tflite_tensors import constant, file_of, put_constant, read_content
from tasks.exporting.variants import Source, export_variants
from tasks.ground.files import sha256_of
from tasks.model.label_map import LABEL_MAP, write_label_map
from tasks.model.variants import VARIANTS, export_folder, read_variants, write_variants
from tests.exporting.lenient import Lenient
from tests.exporting.params import export_params
from tests.exporting.photos import CLASSES, photos
from tests.exporting.toy_export import PREPARE, varied_config, varied_network


@pytest.fixture(scope="module")
def source():
    config = varied_config()
    return Source(varied_network(config), config, Metadata(CLASSES, 0.25, "Finds pets."), PREPARE)


@pytest.fixture(scope="module")
def exported(source, tmp_path_factory):
    """An export folder with every TFLite variant of a toy network, calibrated on three pictures."""
    folder = tmp_path_factory.mktemp("export")
    write_label_map(CLASSES, folder / LABEL_MAP)
    params = export_params(variants=["float32", "float16", "dynamic", "int8"], calibration_images=3)
    train = photos(tmp_path_factory.mktemp("photos"), 4)
    write_variants(folder, export_variants(source, params, train, folder, Lenient()))
    export_saved_model(source.network, folder / "saved_model")
    return folder


def picture(seed: int = 5) -> "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]":
    return np.random.default_rng(seed).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def test_every_variant_that_was_asked_for_is_written_and_listed(exported):
    written = read_variants(exported).written
    assert set(written) == {"float32", "float16", "dynamic", "int8"}
    assert {each.file for each in written.values()} == {VARIANTS[name].file for name in written}
    assert written["int8"].calibration_images == 3


@pytest.mark.parametrize("name", ["float32", "float16", "dynamic", "int8"])
def test_a_variant_finds_boxes_in_the_photos_own_pixels(exported, name):
    (found,) = load_tflite(exported / VARIANTS[name].file).detect([picture()])
    assert 0 < len(found.classes) <= 100
    assert found.boxes.min() >= 0
    assert (found.boxes.max(axis=0) <= [120, 90, 120, 90]).all()
    assert (np.diff(found.scores) <= 0).all()


def test_the_count_is_of_boxes_and_what_follows_their_entries_is_not_read(exported, monkeypatch):
    detector = load_tflite(exported / "model.tflite")
    scores = np.array([[0.9, 0.5, 0.1, 0.8, 0.7, 0.0, *[9e9] * 294]], np.float32)
    classes = np.array([[0, 1, 2, 1, 0, 2, *[-1e38] * 294]], np.float32)
    boxes = np.zeros((1, 300, 4), np.float32)
    boxes[0, :3], boxes[0, 3:6], boxes[0, 6:] = [0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0], np.nan
    monkeypatch.setattr(detector, "run", lambda prepared: [np.array([2.0], np.float32), scores, classes, boxes])
    (found,) = detector.detect([picture()])
    assert found.classes == ("cat", "dög", "cat", "dög", "bird")
    np.testing.assert_allclose(found.scores, [0.9, 0.8, 0.7, 0.5, 0.1])


@pytest.mark.parametrize("num_classes", [1, 3, 12])
def test_as_many_boxes_are_found_as_in_the_saved_model(tmp_path, num_classes):
    classes = tuple(f"class {i}" for i in range(num_classes))
    config = varied_config(num_classes=num_classes, max_detections=20)
    own = Source(varied_network(config), config, Metadata(classes, 0.25, "Finds."), PREPARE)
    write_label_map(classes, tmp_path / LABEL_MAP)
    params = export_params(variants=["float32"], max_detections=20)
    export_variants(own, params, Dataset(tmp_path, classes, ()), tmp_path, Lenient())
    export_saved_model(own.network, tmp_path / "saved_model")
    (theirs,) = load_saved_model(tmp_path).detect([picture()])
    (ours,) = load_tflite(tmp_path / "model.tflite").detect([picture()])
    assert len(ours.classes) == len(theirs.classes) == 20
    np.testing.assert_allclose(ours.scores[0], theirs.scores[0], atol=0.02)
    # Boxes of several classes that overlap differ; the scores are nearly those.
    assert ours.scores[-1] > theirs.scores[-1] - 0.05


def test_a_label_map_of_another_length_is_refused(exported, tmp_path):
    (tmp_path / "model.tflite").write_bytes((exported / "model.tflite").read_bytes())
    write_label_map(("cat", "dog"), tmp_path / LABEL_MAP)
    with pytest.raises(CheckpointError, match="tells 3 classes apart, but its label map names 2"):
        load_tflite(tmp_path / "model.tflite")


def test_a_batch_is_detected_side_by_side_with_the_same_result(exported):
    images = [picture(seed) for seed in range(5)]
    together = load_exported(exported / "model.tflite").detect(images)
    alone = load_tflite(exported / "model.tflite").detect(images)
    for one, other in zip(together, alone, strict=True):
        assert one.classes == other.classes
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_a_box_has_several_classes_as_in_the_saved_model(exported):
    (found,) = load_tflite(exported / "model.tflite").detect([picture()])
    boxes, counts = np.unique(found.boxes, axis=0, return_counts=True)
    assert len(boxes) < len(found.boxes)
    assert counts.max() > 1


def test_float16_differs_from_float32_by_rounding_alone(exported):
    first, second = (load_tflite(exported / VARIANTS[name].file) for name in ("float32", "float16"))
    one, other = (detector.run(detector.prepare(picture()))[1] for detector in (first, second))
    np.testing.assert_allclose(one[0, :5], other[0, :5], atol=0.02)


def test_int8_takes_pixels_and_computes_in_integers(exported):
    detector = load_tflite(exported / "model_int8.tflite")
    prepared = detector.prepare(picture())
    assert prepared.dtype == np.uint8
    content = (exported / "model_int8.tflite").read_bytes()
    assert set(edge_tpu_fallbacks(content)) == {"DEQUANTIZE", "TFLite_Detection_PostProcess"}
    assert set(edge_tpu_fallbacks((exported / "model.tflite").read_bytes())) > {"CONV_2D"}


def test_a_file_carries_its_labels_and_its_metadata(exported):
    content = (exported / "model_int8.tflite").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("labels.txt").decode() == "cat\ndög\nbird"
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    (entry,) = [each for each in model.metadata if each.name == b"TFLITE_METADATA"]
    metadata = bytes(model.buffers[entry.buffer].data)
    assert metadata[4:8] == b"M001"
    for text in (b"location", b"category", b"score", b"number of detections", b"labels.txt", b"Finds pets."):
        assert text in metadata


def test_metadata_written_again_replaces_the_old_and_gives_the_same_bytes(exported):
    content = (exported / "model.tflite").read_bytes()
    once = with_metadata(content, Metadata(("a", "b", "c"), 0.5, "Other."))
    assert once == with_metadata(content, Metadata(("a", "b", "c"), 0.5, "Other."))
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(once, 0))
    assert [each.name for each in model.metadata].count(b"TFLITE_METADATA") == 1


def test_equalising_channels_leaves_what_the_network_computes(exported):
    model = (exported / "model.tflite").read_bytes()
    images = [PREPARE(picture(seed)) for seed in range(4)]
    even = equalise(model, images)
    assert even != model
    for image in images:
        one, other = (load_of(content).run(image)[1] for content in (model, even))
        np.testing.assert_allclose(one, other, atol=1e-3)


def load_of(content: bytes):
    return TFLiteDetector(content, CLASSES, threads=1)


def test_every_tensor_between_input_and_output_can_be_read(exported):
    model = (exported / "model.tflite").read_bytes()
    (values,) = every_tensor(model, [0, 1], [PREPARE(picture())])
    assert set(values) == {0, 1}


def test_what_is_left_out_is_listed_with_its_reason_and_not_written(source, tmp_path):
    class Strict(Lenient):
        def why_left_out(self, file, difference):
            return "too bad" if file.name == "model_float16.tflite" else None

    write_label_map(CLASSES, tmp_path / LABEL_MAP)
    params = export_params(variants=["float32", "float16"])
    variants = export_variants(source, params, Dataset(tmp_path, CLASSES, ()), tmp_path, Strict())
    assert set(variants.written) == {"float32"}
    assert variants.left_out == {"float16": "too bad"}
    assert not (tmp_path / "model_float16.tflite").exists()


def test_a_file_with_fewer_anchors_than_boxes_is_refused(exported):
    content = read_content((exported / "model.tflite").read_bytes())
    anchors = content.subgraphs[0].operators[-1].inputs[2]
    fewer = constant(content, anchors)[:2]
    content.subgraphs[0].tensors[anchors].shape = np.array(fewer.shape, np.int32)
    put_constant(content, anchors, fewer)
    with pytest.raises(ValueError, match=r"takes boxes .* and anchors \(2, 4\)"):
        load_of(file_of(content))


def test_a_saved_model_holds_no_random_number(exported):
    names = {file.name for file in (exported / "saved_model").rglob("*") if file.is_file()}
    assert names == {"saved_model.pb", "variables.index", "variables.data-00000-of-00001"}


@pytest.mark.parametrize("how", ["link", "copy"])
def test_the_saved_model_lies_where_tensorflow_serving_looks(exported, tmp_path, how):
    folder = tmp_path / "export"
    (folder / "saved_model").mkdir(parents=True)
    (folder / "saved_model" / "saved_model.pb").write_bytes(b"graph")
    lay_out_for_serving(folder, how)
    served = folder / "serving" / "1" / "saved_model.pb"
    assert sha256_of(served) == sha256_of(folder / "saved_model" / "saved_model.pb")
    assert served.stat().st_nlink == (2 if how == "link" else 1)


def test_serving_can_be_left_out(tmp_path):
    lay_out_for_serving(tmp_path, "off")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_no_runtime_is_known_for_is_refused(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"model.pt: not a model that is run here; name an export folder"):
        export_folder(tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=r"nowhere.tflite: no exported model here; run `make run` first"):
        export_folder(tmp_path / "nowhere.tflite")
    with pytest.raises(CheckpointError, match=r"model.onnx: not exported: add onnx to export.variants in params.yaml"):
        export_folder(tmp_path / "model.onnx")
    (tmp_path / "model.onnx").write_bytes(b"x")
    assert export_folder(tmp_path / "model.onnx") == export_folder(tmp_path) == tmp_path
