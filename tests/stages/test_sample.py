import pytest
from PIL import Image

from tasks.formats.pascal_voc import read_voc
from tasks.ground.files import sha256_of
from tasks.params import SampleParams
from tasks.sample_scenes.faults import FAULTS
from tasks.sample_scenes.shapes import KINDS
from tasks.stages.sample import sample


def contents(folder):
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample"
    sample(SampleParams(seed=7, images=3, faults=True), sample=path)
    return path


def annotation(folder, name):
    return read_voc(folder / "annotations" / f"{name}.xml")[0]


def faulty(folder, name):
    assert name in {fault.name for fault in FAULTS}
    return annotation(folder, f"fault_{name}"), folder / "images" / f"fault_{name}.jpg"


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    sample(SampleParams(seed=7, images=3, faults=True), sample=tmp_path / "again")
    assert contents(folder) == contents(tmp_path / "again")


def test_another_seed_gives_other_scenes(folder, tmp_path):
    sample(SampleParams(seed=8, images=1, faults=False), sample=tmp_path / "other")
    image = "images/scene_0000.jpg"
    assert contents(tmp_path / "other")[image] != contents(folder)[image]


def test_more_images_leave_the_first_ones_unchanged(folder, tmp_path):
    sample(SampleParams(seed=7, images=1, faults=False), sample=tmp_path / "fewer")
    fewer = contents(tmp_path / "fewer")
    del fewer["README.md"]
    assert set(fewer.items()) < set(contents(folder).items())


def test_every_scene_has_objects_of_known_kinds_in_boxes_within_the_picture(folder):
    for path in sorted(folder.glob("images/scene_*.jpg")):
        record = annotation(folder, path.stem)
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (record.width, record.height))
        assert 1 <= len(record.classes) <= 5
        assert set(record.classes) <= set(KINDS)
        assert (record.boxes[:, :2] >= 0).all()
        assert (record.boxes[:, 2:] <= (record.width, record.height)).all()
        longest = (record.boxes[:, 2:] - record.boxes[:, :2]).max(axis=1)
        assert (longest >= 0.1 * min(record.width, record.height)).all()


def test_without_faults_only_scenes_are_written(tmp_path):
    figures = sample(SampleParams(seed=7, images=2, faults=False), sample=tmp_path / "sample")
    assert figures["faults"] == 0
    assert sorted(path.name for path in (tmp_path / "sample" / "images").iterdir()) == [
        "scene_0000.jpg",
        "scene_0001.jpg",
    ]


def test_the_readme_names_every_fault(folder):
    text = (folder / "README.md").read_text()
    assert all(f"`fault_{fault.name}`" in text for fault in FAULTS)


def test_every_fault_but_the_missing_image_has_both_its_files(folder):
    for fault in FAULTS:
        assert (folder / "annotations" / f"fault_{fault.name}.xml").is_file()
        assert (folder / "images" / f"fault_{fault.name}.jpg").is_file() == (fault.name != "image_missing")


def test_one_annotation_is_not_xml(folder):
    assert not (folder / "annotations" / "fault_annotation_is_no_xml.xml").read_bytes().startswith(b"<")


def test_one_jpeg_ends_early(folder):
    _, path = faulty(folder, "image_truncated")
    with Image.open(path) as image, pytest.raises(OSError, match="truncated"):
        image.load()


def test_one_jpg_is_a_png(folder):
    _, path = faulty(folder, "image_is_png")
    with Image.open(path) as image:
        assert image.format == "PNG"


def test_one_image_has_a_copy(folder):
    _, path = faulty(folder, "image_twice")
    assert path.read_bytes() == (folder / "images" / "scene_0000.jpg").read_bytes()


def test_one_annotation_gives_no_size(folder):
    record, _ = faulty(folder, "size_zero")
    assert (record.width, record.height) == (0, 0)


def test_one_box_extends_beyond_the_edge(folder):
    record, _ = faulty(folder, "box_partly_outside")
    beyond = (record.boxes[:, 0] == -25) | (record.boxes[:, 2] == record.width + 25)
    assert beyond.any()


def test_one_box_lies_outside(folder):
    record, _ = faulty(folder, "box_outside")
    assert record.boxes[-1].tolist() == [record.width + 30, 40, record.width + 110, 120]


def test_one_box_is_inverted(folder):
    record, _ = faulty(folder, "box_inverted")
    assert record.boxes[0, 0] > record.boxes[0, 2]
    assert record.boxes[0, 1] < record.boxes[0, 3]


def test_one_box_has_no_area(folder):
    record, _ = faulty(folder, "box_without_area")
    assert record.boxes[-1].tolist() == [50, 60, 50, 120]


def test_one_class_is_misspelt_once(folder):
    record, _ = faulty(folder, "class_misspelt")
    assert record.classes.count("kye") == 1
    others = [read_voc(path)[0] for path in folder.glob("annotations/scene_*.xml")]
    assert all("kye" not in other.classes for other in others)
