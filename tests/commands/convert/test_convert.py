"""Every format into every other and back, and what the other cannot hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.dataset.dataset import Dataset
from tasks.formats.csv import read_csv, write_csv
from tasks.formats.losses import losses
from tasks.formats.pascal_voc import read_voc_folder, write_voc_folder
from tasks.formats.writers import WRITTEN_FORMATS
from tests.commands.convert.conversions import FORMATS, SIZES, convert, image, read, target
from tests.real_data import DATASETS, needs_datasets

CLASSES = ("cat", "dog", "épée à deux mains, longue")
PIXEL = st.one_of(
    st.integers(-5, 300).map(float), st.integers(-5_000_000, 300_000_000).map(lambda millionths: millionths / 1e6)
)


def assert_same(read: Dataset, written: Dataset, kind: str, *, root: Path) -> None:
    """All that `kind` holds is the same: COCO everything, VOC not iscrowd, CSV and YOLO not difficult either."""
    assert read.problems == ()
    assert read.root.resolve() == root.resolve()
    assert set(read.classes) >= {name for image in written.images for name in image.classes}
    for a, b in zip(read.images, written.images, strict=True):
        assert (a.file_name, a.classes) == (b.file_name, b.classes)
        assert (a.width, a.height) == (b.width, b.height)
        np.testing.assert_array_equal(a.boxes, b.boxes)
        np.testing.assert_array_equal(a.difficult, b.difficult & (kind in ("voc", "coco")))
        np.testing.assert_array_equal(a.iscrowd, b.iscrowd & (kind == "coco"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    (folder / "sub").mkdir()
    for name, size in SIZES.items():
        Image.new("RGB", size).save(folder / name)
    return folder


@st.composite
def datasets(draw):
    images = []
    for name in sorted(SIZES):
        box = st.tuples(PIXEL, PIXEL, PIXEL, PIXEL)
        objects = draw(st.lists(st.tuples(st.sampled_from(CLASSES), box), max_size=3))
        picked = st.sets(st.integers(0, 2))
        images.append(image(name, *objects, difficult=draw(picked), iscrowd=draw(picked)))
    return images


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=25)
@given(images=datasets())
def test_a_written_data_set_is_read_back_but_for_what_the_format_cannot_hold(tmp_path_factory, photos, kind, images):
    written = Dataset(photos, CLASSES, tuple(images))
    # A box of a pixel or less in the corner of every image is what fractions of images look like.
    if max((np.abs(each.boxes).max(initial=0) for each in images), default=0) <= 1:
        images[0] = image("a.jpg", ("cat", [1, 2, 3, 4]))
        written = Dataset(photos, CLASSES, tuple(images))
    # YOLO readers take a box that is ten images away for one in pixels.
    if kind == "yolo":
        near = [each.keep((np.abs(each.boxes) < 5 * min(each.width, each.height)).all(axis=1)) for each in images]
        written = Dataset(photos, CLASSES, tuple(near))
    path = target(tmp_path_factory.mktemp("out"), kind)
    WRITTEN_FORMATS[kind].writer()(written, path)
    back = read(path, photos, kind)
    assert_same(back, written, kind, root=photos)
    if kind in ("coco", "yolo"):
        assert back.classes == CLASSES


def test_a_name_with_quotes_and_commas_survives_csv(tmp_path):
    path = tmp_path / "labels.csv"
    name = 'a "good", big; cat'
    write_csv(Dataset(tmp_path, (name,), (image("x, y.jpg", (name, [1, 2, 3.5, 4])), image("empty.jpg"))), path)
    assert path.read_text().splitlines() == [
        "filename,width,height,class,xmin,ymin,xmax,ymax",
        '"x, y.jpg",64,48,"a ""good"", big; cat",1,2,3.5,4',
        "empty.jpg,64,48,,,,,",
    ]
    (first, second), problems = read_csv(path, {})
    assert (first.file_name, first.classes, second.classes, problems) == ("x, y.jpg", (name,), (), [])


def test_voc_files_lie_in_the_folders_of_their_images(tmp_path):
    images = (image("sub/a.jpg", ("cat", [1, 2, 3, 4])), image("b.jpg"))
    write_voc_folder(Dataset(tmp_path, ("cat",), images), tmp_path / "out")
    assert [Path(each.source).relative_to(tmp_path).as_posix() for each in read_voc_folder(tmp_path / "out")[0]] == [
        "out/b.xml",
        "out/sub/a.xml",
    ]


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("coco", []),
        ("voc", ["iscrowd of 1 boxes", "1 classes without a box", "the order of the 3 classes"]),
        (
            "csv",
            [
                "iscrowd of 1 boxes",
                "difficult of 1 boxes",
                "1 classes without a box",
                "the order of the 3 classes",
                "1 images without objects",
            ],
        ),
        ("yolo", ["iscrowd of 1 boxes", "difficult of 1 boxes", "that 1 boxes leave their image"]),
    ],
)
def test_losses_are_printed_with_their_count(here, capsys, kind, lost):
    assert convert("labels.json", target(here, f"{kind}").with_name("out"), "--images", "photos", "--to", kind) == 0
    lines = capsys.readouterr().out.splitlines()
    printed = [line.removeprefix(f"not held by {kind}: ") for line in lines if line.startswith("not held by")]
    assert [text for text, start in zip(printed, lost, strict=True) if not text.startswith(start)] == []
    assert lines[0] == "labels.json: coco, 2 images, 2 boxes, 3 classes"
    assert lines[-2] == f"{here / 'out'}: {kind}, 2 images, 2 boxes, 3 classes"
    assert lines[-1] == "the images are in photos"


def test_corners_finer_than_a_millionth_of_a_pixel_are_counted():
    fine = Dataset(Path(), ("cat",), (image("a.jpg", ("cat", [1.00000001, 2, 3, 4]), ("cat", [1.000001, 2, 3, 4])),))
    assert losses(fine, "yolo") == ["not held by yolo: corners of 1 boxes beyond a millionth of a pixel"]
    assert losses(fine, "voc") == []


@pytest.mark.parametrize("second", FORMATS)
@pytest.mark.parametrize("first", FORMATS)
def test_every_format_becomes_every_other(here, first, second):
    (here / "1").mkdir()
    (here / "2").mkdir()
    before = read(Path("labels.json"), Path("photos"))
    assert convert("labels.json", target(here / "1", first), "--images", "photos", "--to", first) == 0
    assert convert(target(here / "1", first), target(here / "2", second), "--images", "photos", "--to", second) == 0
    after = read(target(here / "2", second), Path("photos"))
    for a, b in zip(after.images, before.images, strict=True):
        assert (a.file_name, a.classes, a.sha256) == (b.file_name, b.classes, b.sha256)
        np.testing.assert_array_equal(a.boxes, b.boxes)
    assert after.problems == ()


def test_label_studio_becomes_yolo_with_copies_of_the_images(here, capsys):
    rectangle = {"x": 25, "y": 25, "width": 50, "height": 50, "rectanglelabels": ["cat"]}
    result = {"type": "rectanglelabels", "value": rectangle}
    task = {"id": 1, "data": {"image": "/data/upload/1/ab12cd34-a.jpg"}, "annotations": [{"result": [result]}]}
    Path("tasks.json").write_text(json.dumps([task]))
    assert convert("tasks.json", "yolo", "--images", "photos", "--to", "yolo", "--copy-images") == 0
    out = capsys.readouterr().out
    assert "renamed_image: 1 (kept), such as tasks.json: task 1" in out
    assert "image_without_annotation: 1 (left_out), such as photos/b.jpg" in out
    Path("photos").rename("gone")
    (back,) = read(Path("yolo"), Path("yolo")).images
    assert (back.file_name, back.boxes.tolist()) == ("a.jpg", [[16, 12, 48, 36]])


def test_the_size_is_that_of_the_image_and_an_unreadable_image_is_left_out_and_named(here, capsys):
    Path("photos/c.jpg").write_text("not an image")
    Path("labels.csv").write_text(
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "a.jpg,640,480,cat,16,12,48,36\nb.jpg,,,cat,1,2,3,4\nc.jpg,64,48,cat,1,2,3,4\n"
    )
    assert convert("labels.csv", "yolo", "--images", "photos", "--to", "yolo") == 0
    out = capsys.readouterr().out
    assert (
        "size_mismatch: 1 (fixed_image), such as photos/a.jpg: labels.csv:2 gives 640 x 480; the image is 64 x 48"
        in out
    )
    assert "unreadable_image: 1 (dropped_image), such as photos/c.jpg" in out
    assert "box_of_dropped_image: 1 (dropped_box)" in out
    assert Path("yolo/labels/a.txt").read_text().split()[1:3] == ["0.500000000000", "0.500000000000"]
    assert sorted(path.name for path in Path("yolo/labels").iterdir()) == ["a.txt", "b.txt"]


def test_an_empty_folder_or_file_may_become_the_result(here):
    Path("folder").mkdir()
    Path("file").touch()
    assert convert("labels.json", "folder", "--images", "photos", "--to", "voc") == 0
    assert convert("labels.json", "file", "--images", "photos", "--to", "csv") == 0
    assert sorted(path.name for path in Path("folder").iterdir()) == ["a.xml", "b.xml"]
    assert Path("file").read_text().startswith("filename,")


@needs_datasets
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source", ["guns", "bccd/test.csv", "ducky/train.csv"])
def test_real_data_comes_back_from_every_format(tmp_path, source, kind):
    folder = DATASETS / source.split("/")[0]
    before = read(DATASETS / source, folder)
    out = target(tmp_path, kind)
    assert convert(DATASETS / source, out, "--images", folder, "--to", kind) == 0
    after = read(out, folder)
    assert after.root == before.root
    for a, b in zip(after.images, before.images, strict=True):
        assert (a.file_name, a.sha256, a.classes) == (b.file_name, b.sha256, b.classes)
        np.testing.assert_array_equal(a.boxes, b.boxes)
