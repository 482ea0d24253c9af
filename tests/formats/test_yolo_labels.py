"""Which text files are YOLO labels, whatever lies between them."""

import os

import pytest

from tasks.formats.yolo_labels import label_files
from tests.formats.yolo_folder import make

ROW = "0 .5 .5 .4 .4\n"
LIST = "./images/a.jpg\n"


def labels(folder):
    return [path.relative_to(folder).as_posix() for path in label_files(folder)]


def test_labels_below_labels_and_beside_images_are_all_read(tmp_path):
    files = {"labels/a.txt": ROW, "images/b.txt": "", "images/b.JPG": "", "c.txt": ROW, "notes.txt": ROW, "d.txt": ""}
    assert labels(make(tmp_path, files)) == ["labels/a.txt", "c.txt", "images/b.txt"]


@pytest.mark.parametrize(
    "name",
    ["autosplit_train.txt", "train2017.txt", "trainval.txt", "val.txt", "test-dev2017.txt", "my_train_list.txt",
     "ImageSets/Main/cat.txt", "pictures.txt"],
)  # fmt: skip
@pytest.mark.parametrize("folder", ["", "labels"])
def test_a_list_of_images_is_no_label_file(tmp_path, name, folder):
    files = {"a.txt": ROW, "a.jpg": "", f"{folder}/{name}": "\ufeff\n" + LIST}
    listed = [] if folder == "" or name not in ("ImageSets/Main/cat.txt", "pictures.txt") else [f"labels/{name}"]
    assert labels(make(tmp_path, files)) == [*listed, "a.txt"]


@pytest.mark.parametrize("name", ["train2017.txt", "test.txt", "val_01.txt"])
def test_a_file_called_like_a_list_is_a_label_file_beside_its_image_or_with_label_rows(tmp_path, name):
    assert labels(make(tmp_path / "1", {name: "", name.replace(".txt", ".png"): ""})) == [name]
    assert labels(make(tmp_path / "2", {name: ROW, "a.txt": ""})) == sorted([name, "a.txt"])
    assert labels(make(tmp_path / "3", {name: "", "a.txt": ""})) == ["a.txt"]
    assert labels(make(tmp_path / "4", {f"labels/{name}": ""})) == [f"labels/{name}"]


def test_a_pipe_called_like_a_list_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "train.txt")
    (tmp_path / "val.txt").symlink_to("nowhere")
    assert labels(make(tmp_path, {"a.txt": ""})) == ["a.txt"]
