"""The author's split in data.yaml: folders and lists of images, as they stand in files from elsewhere."""

import os
from pathlib import Path

import pytest

from tasks.errors import FormatError
from tasks.formats.yolo_splits import splits_of_yolo
from tests.formats.yolo_folder import make

NAMES = "names: [cat]\n"


def split(source, yaml, images, lists=None, places=None):
    make(source, {"data.yaml": NAMES + yaml, **(lists or {})})
    paths = [source / image for image in images]
    found, problems = splits_of_yolo(source, paths, places or [source])
    assert {problem.kind for problem in problems} <= {"given_split_unused"}
    named = {path.relative_to(source).as_posix(): part for path, part in found.items()}
    return named, [problem.detail for problem in problems]


ONE_TWO = ["images/one/a.jpg", "images/two/deep/b.jpg", "images/c.jpg"]
SPLIT = {"images/one/a.jpg": "train", "images/two/deep/b.jpg": "val"}


@pytest.mark.parametrize(
    "yaml",
    [
        "train: images/one\nval: images/two\n",
        "train: ./images/one/\nvalid: [images/two, ]\ntest:\n",
        "train: ../images/one\nval: ../images/two\n",
        "path: ../datasets/coco\ntrain: images/one\nval: images/two\n",
        "path: /kaggle/input/x\ntrain: images/one\nval: images/two\n",
        "train: /kaggle/input/x/images/one\nval: /kaggle/input/x/images/two\n",
        "train: 'C:\\data\\images\\one'\nval: 'C:\\data\\Images\\Two'\n",
        "train: one\nval: two\n",
        "train: images\nval: images/two\ntest: images/three/../..\n",
    ],
    ids=["plain", "list and dots", "Roboflow", "path", "absolute path", "absolute", "Windows", "last part", "inner"],
)
def test_folders_of_any_name_are_the_authors_split(tmp_path, yaml):
    found, problems = split(tmp_path, yaml, ONE_TWO)
    assert found == (SPLIT if "images/three" not in yaml else {**SPLIT, "images/c.jpg": "train"})
    assert problems == []


def test_a_path_with_the_folder_of_the_data_itself_is_exact(tmp_path):
    yaml = f"train: {tmp_path / 'data/images/one'}\nval: {tmp_path / 'data'}\n"
    assert split(tmp_path / "data", yaml, ONE_TWO)[0] == {
        "images/one/a.jpg": "train", "images/two/deep/b.jpg": "val", "images/c.jpg": "val",
    }  # fmt: skip


def test_a_folder_above_the_images_says_nothing(tmp_path):
    found, problems = split(tmp_path / "one/data", "train: elsewhere/one\n", ["images/a.jpg"])
    assert found == {}
    assert problems == ["train: 'elsewhere/one': no image was found in a folder of that name"]


@pytest.mark.parametrize(
    "yaml", ["train: images\nval: ./images\n", "train: .\nval: .\ntest: .\n", "train: /x/y\nval: /x/y\n"]
)
def test_one_folder_for_train_and_val_is_no_split(tmp_path, yaml):
    assert split(tmp_path, yaml, ["images/a.jpg"]) == ({}, [])


def test_the_end_of_a_folders_path_alone_is_not_enough(tmp_path):
    yaml = "train: ../train/images\nval: ../valid/images\n"
    found, (problem,) = split(tmp_path, yaml, ["train/images/a.jpg", "more/images/b.jpg"])
    assert found == {"train/images/a.jpg": "train"}
    assert problem == "val: '../valid/images': no image was found in a folder of that name"


def test_val_and_test_in_one_folder_are_the_test_split(tmp_path):
    assert split(tmp_path, "val: images\ntest: images\n", ["images/a.jpg"])[0] == {"images/a.jpg": "test"}


@pytest.mark.parametrize(
    ("lines", "images"),
    [
        (("./images/a.jpg", "images/b.jpg"), ("images/a.jpg", "images/b.jpg")),
        (("/home/x/data/images/a.jpg", "data/obj_train_data/b.jpg"), ("images/a.jpg", "images/b.jpg")),
        (("a", "b.png"), ("images/a.jpg", "images/b.jpg")),
        (("one/a.jpg", "two/a.jpg"), ("images/one/a.jpg", "images/two/a.jpg")),
        (("a.jpg", "a.jpg.jpg"), ("images/a.jpg", "images/a.jpg.jpg")),
    ],
    ids=["relative", "from elsewhere", "without extension", "same names", "two extensions"],
)
def test_lists_of_images_are_the_authors_split(tmp_path, lines, images):
    yaml = "path: ../x\ntrain: lists/train.txt\nval: [val.txt]\n"
    lists = {"lists/train.txt": f"{lines[0]}\n\n", "val.txt": f"\ufeff{lines[1]}\r\n"}
    assert split(tmp_path, yaml, images, lists) == ({images[0]: "train", images[1]: "val"}, [])


def test_an_image_in_two_lists_is_in_the_more_protected_split(tmp_path):
    lists = {"train.txt": "a.jpg\n", "val.txt": "a.jpg\n"}
    assert split(tmp_path, "train: train.txt\nval: val.txt\n", ["a.jpg"], lists) == ({"a.jpg": "val"}, [])


def test_the_line_with_more_of_an_images_folders_counts(tmp_path):
    lists = {"train.txt": "old/images/a.jpg\n", "val.txt": "new/images/a.jpg\n"}
    found, _ = split(tmp_path, "train: val.txt\nval: train.txt\n", ["new/images/a.jpg"], lists)
    assert found == {"new/images/a.jpg": "train"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gone.txt", "no such list below"),
        ("../../secret.txt", "no such list below"),
        ("link.txt", "no such list below"),
        ("pipe.txt", "no such list below"),
        (f"{'x' * 5000}.txt", "no such list below"),
        ("other.txt", "none of the images in its 1 lines was found"),
        ("both.txt", "1 of its 1 lines fit more than one image each"),
    ],
)
def test_a_list_that_gives_no_image_a_split_is_reported(tmp_path, text, why):
    make(tmp_path, {"secret.txt": "one/a.jpg\n", "data/x": ""})
    (tmp_path / "data/link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(tmp_path / "data/pipe.txt")
    lists = {"other.txt": "z.jpg\n", "both.txt": "a.jpg\n"}
    found, (problem,) = split(tmp_path / "data", f"train: {text}\n", ["one/a.jpg", "two/a.jpg"], lists)
    assert found == {}
    assert why in problem
    assert len(problem) < 300


def test_a_list_that_is_not_text_is_refused_with_its_path(tmp_path):
    with pytest.raises(FormatError, match=r"train\.txt: not a list of image names"):
        split(tmp_path, "train: train.txt\n", ["a.jpg"], {"train.txt": b"\xff\xfe"})


def test_lists_beside_data_yaml_count_where_it_says_nothing(tmp_path):
    lists = {"autosplit_train.txt": "./a.jpg\n", "valid.txt": "b.jpg\n", "test.txt": "0 .5 .5 .4 .4\n"}
    assert split(tmp_path / "1", "", ["a.jpg", "b.jpg"], lists) == ({"a.jpg": "train", "b.jpg": "val"}, [])
    assert split(tmp_path / "2", "train: .\nval: .\n", ["a.jpg", "b.jpg"], lists) == ({}, [])


def test_images_in_another_place_are_compared_below_it(tmp_path):
    photos = tmp_path / "photos"
    make(tmp_path / "data", {"data.yaml": f"{NAMES}train: images/one\nval: v.txt\n", "v.txt": "two/b.jpg\n"})
    paths = [photos / "one/a.jpg", photos / "two/b.jpg"]
    found, problems = splits_of_yolo(tmp_path / "data", paths, [Path("nowhere"), photos])
    assert (found, problems) == ({paths[0]: "train", paths[1]: "val"}, [])
