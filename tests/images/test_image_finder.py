"""Which file an annotation's image is, and that no file outside the folders is ever it."""

import unicodedata
from pathlib import Path

import pytest

from tasks.images.image_finder import ImageFinder, image_folders_for
from tests.images.find_image import find_image


@pytest.mark.parametrize(
    ("files", "annotation", "written", "image"),
    [
        (["a.jpg", "b/a.jpg"], "a.xml", "a.jpg", "a.jpg"),
        (["images/a.jpg", "old/a.jpg"], "annotations/a.xml", "a.jpg", "images/a.jpg"),
        (["JPEGImages/a.jpg", "old/a.jpg"], "Annotations/a.xml", "a.jpg", "JPEGImages/a.jpg"),
        (["images/train/a.jpg", "images/test/a.jpg"], "annotations/train/a.xml", "a.jpg", "images/train/a.jpg"),
        (["far/away/a.jpg"], "annotations/a.xml", "a.jpg", "far/away/a.jpg"),
        (["one/a.jpg", "two/a.jpg"], "labels.csv", "two/a.jpg", "two/a.jpg"),
        (["x/one/a.jpg", "x/two/a.jpg"], "labels.csv", "/home/pi/two/a.jpg", "x/two/a.jpg"),
        (["x/one/a.jpg", "x/two/a.jpg"], "labels.csv", r"C:\photos\two\a.jpg", "x/two/a.jpg"),
        (["p/train/a.jpg", "p/test/a.jpg"], "boxes/test/a.xml", "a.jpg", "p/test/a.jpg"),
        (["images/a.jpg"], "annotations/a.xml", "../images/a.jpg", "images/a.jpg"),
        (["images/a.JPG", "images/a.jpg"], "annotations/a.xml", "a.jpg", "images/a.jpg"),
        (["images/a.jpg"], "annotations/a.xml", "", "images/a.jpg"),
        (["images/a.b.jpg"], "annotations/x.xml", "a.b", "images/a.b.jpg"),
    ],
    ids=[
        "beside", "images", "JPEGImages", "mirrored", "anywhere", "path", "Unix path", "Windows path", "trailing parts",
        "dots that stay inside", "exact case first", "no name", "no extension",
    ],
)  # fmt: skip
def test_the_image_is_found(tree, files, annotation, written, image):
    assert find_image(tree(*files), annotation, written) == (image, None)


@pytest.mark.parametrize("written", ["a.jpg", "a.tga", "photos/a.jpeg"])
def test_an_image_with_another_extension_is_found_and_reported(tree, written):
    assert find_image(tree("images/a.png"), "annotations/a.xml", written) == ("images/a.png", "renamed_image")


@pytest.mark.parametrize("written", ["a.jpg", "A.jpg", "a.JPG", "A"])
def test_an_image_with_other_capitals_is_found_and_reported(tree, written):
    assert find_image(tree("images/a.Jpg"), "annotations/x.xml", written) == ("images/a.Jpg", "renamed_image")


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_names_are_compared_whatever_their_unicode_form(tree, stored, written):
    folder, name = unicodedata.normalize(stored, "caf\u00e9"), unicodedata.normalize(written, "caf\u00e9")
    root = tree(f"images/{folder}/{folder}.jpg", "images/b/a.jpg", f"images/{folder}/a.jpg")
    assert find_image(root, f"labels/{name}.txt", "") == (f"images/{folder}/{folder}.jpg", None)
    assert find_image(root, "x.csv", f"{name}.jpg") == (f"images/{folder}/{folder}.jpg", None)
    assert find_image(root, "x.csv", f"{name}/a.jpg") == (f"images/{folder}/a.jpg", None)
    assert find_image(root, f"labels/{name}/a.txt", "") == (f"images/{folder}/a.jpg", None)
    assert find_image(root, "x.csv", f"b/../images/{name}/a.jpg") == (f"images/{folder}/a.jpg", None)


def test_of_two_files_that_differ_in_their_unicode_form_the_exact_one_is_taken(tree):
    composed, apart = (unicodedata.normalize(form, "\u00e9.jpg") for form in ("NFC", "NFD"))
    root = tree(f"far/{composed}", f"far/{apart}")
    assert [find_image(root, "x.csv", name) for name in (composed, apart)] == [
        (f"far/{n}", None) for n in (composed, apart)
    ]


@pytest.mark.parametrize(
    ("files", "written", "image"),
    [
        (["images/IMG 1 (1).jpg"], "ab12cd34-IMG_1_1.jpg", "images/IMG 1 (1).jpg"),
        (["a/IMG 1.jpg", "b/IMG 1.jpg"], "b/ab12cd34-IMG_1.jpg", "b/IMG 1.jpg"),
        (["IMG 1.jpg", "IMG 1.png"], "ab12cd34-IMG_1.png", "IMG 1.png"),
        (["IMG 1.png"], "ab12cd34-IMG_1.jpg", "IMG 1.png"),
        (["a/IMG 1.jpg", "b/IMG 1.jpg"], "b%2FIMG%201.jpg", "b/IMG 1.jpg"),
        (["a b.jpg"], "?d=photos/a+b.jpg", "a b.jpg"),
        (["a+b.jpg"], "?d=photos/a+b.jpg", "a+b.jpg"),
        (["a.jpg"], r"..\..\label-studio\media\upload\4\ab12cd34-a.jpg", "a.jpg"),
        (["images/ab12cd34-a.jpg"], r"..\..\label-studio\media\upload\4\ab12cd34-a.jpg", "images/ab12cd34-a.jpg"),
        (["a b.jpg"], "http://localhost:8080/data/local-files/?d=sets/a%20b.jpg", "a b.jpg"),
    ],
)
def test_an_image_whose_name_a_tool_changed_is_found_and_reported(tree, files, written, image):
    assert find_image(tree(*files), "x.json", written) == (image, "renamed_image")


@pytest.mark.parametrize(
    ("files", "written"),
    [
        (["IMG 1 (1).jpg", "IMG_1_1.jpg"], "ab12cd34-IMG_1_1.jpg"),
        (["a/IMG 1 (1).jpg", "b/IMG_1 (1).jpg"], "a/ab12cd34-IMG_1_1.jpg"),
        (["a b.jpg", "a+b.jpg"], "?d=a+b.jpg"),
        (["a b.jpg", "a%20b.jpg"], "a%2520b.jpg"),
        (["IMG 1.png", "IMG 1.bmp"], "ab12cd34-IMG_1.jpg"),
    ],
)
def test_of_two_files_that_a_changed_name_may_be_none_is_chosen(tree, files, written):
    root = tree(*files)
    path, problem = ImageFinder([root]).find(root / "x.json", written)
    assert problem is not None
    assert (path, problem.kind) == (None, "ambiguous_image")
    assert all(Path(name).name in problem.detail for name in files)


def test_a_name_that_is_there_is_taken_as_it_is(tree):
    root = tree("ab12cd34-a.jpg", "a.jpg", "b%20c.jpg", "b c.jpg", "b+c.jpg")
    for name in ("ab12cd34-a.jpg", "b%20c.jpg", "b c.jpg", "b+c.jpg"):
        assert find_image(root, "x.json", name) == (name, None)


@pytest.mark.parametrize("written", ["..%2F..%2Foutside.jpg", "%2e%2e/outside.jpg", "..%5c..%5coutside.jpg"])
def test_an_encoded_path_to_the_outside_finds_nothing(tree, tmp_path, written):
    root = tree("a.jpg")
    (tmp_path / "outside.jpg").touch()
    assert find_image(root, "x.json", written) == (None, "missing_image")


@pytest.mark.parametrize(
    ("files", "annotation", "suffix", "image"),
    [
        (["a.jpg", "old/a.jpg"], "a.xml", ".jpg", "a.jpg"),
        (["JPEGImages/a.jpg", "old/a.jpg"], "Annotations/a.xml", "", "JPEGImages/a.jpg"),
        (["a.jpg", "a.png"], "a.xml", ".PNG", "a.png"),
        (["a.jpg", "a.png"], "a.xml", "", None),
        (["old/a.jpg"], "new/a.xml", ".jpg", None),
        (["b.jpg"], "a.xml", ".jpg", None),
    ],
)
def test_the_image_beside_an_annotation_is_called_like_it(tree, files, annotation, suffix, image):
    root = tree(*files)
    path = ImageFinder([root]).find_beside(root / annotation, suffix)
    assert (path and path.relative_to(root).as_posix()) == image


def test_the_written_extension_wins_over_another(tree):
    root = tree("images/a.png", "other/a.jpg")
    assert find_image(root, "annotations/a.xml", "a.jpg") == ("other/a.jpg", None)


@pytest.mark.parametrize(
    ("files", "written"),
    [(["one/a.jpg", "two/a.jpg"], "a.jpg"), (["images/a.png", "images/a.jpeg"], "a.jpg")],
    ids=["folders", "extensions"],
)
def test_of_equal_candidates_none_is_chosen(tree, files, written):
    assert find_image(tree(*files), "boxes/a.xml", written) == (None, "ambiguous_image")


@pytest.mark.parametrize("written", ["b.jpg", "", "notes.txt", ".", "sub/"])
def test_a_missing_image_is_reported(tree, written):
    assert find_image(tree("a.jpg", "notes.txt"), "x.xml", written) == (None, "missing_image")


def test_the_first_place_wins(tree, tmp_path):
    root = tree("photos/a.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").touch()
    (tmp_path / "elsewhere" / "b.jpg").touch()
    finder = ImageFinder([root, tmp_path / "elsewhere"])
    assert finder.find(root / "a.xml", "a.jpg").path == root / "photos/a.jpg"
    assert finder.find(root / "b.xml", "b.jpg").path == tmp_path / "elsewhere/b.jpg"


@pytest.mark.parametrize("annotation", ["train/a.xml", "labels/train/a.txt", "train/labels/a.txt"])
def test_mirrored_folders_decide_between_images_of_one_name(tree, tmp_path, annotation):
    root = tree("notes.txt")
    for name in ("a.jpg", "train/a.jpg", "val/a.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).touch()
    path, problem = ImageFinder([root, tmp_path / "photos"]).find(root / annotation, "")
    assert (path, problem) == (tmp_path / "photos/train/a.jpg", None)


def test_a_folder_of_images_may_be_named_labels(tree, tmp_path):
    root = tree("notes.txt")
    for name in ("a.jpg", "labels/a.jpg", "train/a.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).touch()
    path, problem = ImageFinder([root, tmp_path / "photos"]).find(root / "labels/a.xml", "a.jpg")
    assert (path, problem) == (tmp_path / "photos/labels/a.jpg", None)


def test_places_inside_each_other_hold_each_image_once(tree):
    root = tree("images/a.jpg", "annotations/a.xml")
    finder = ImageFinder([root / "images", root, root / "images"])
    assert finder.find(root / "annotations/a.xml", "a.jpg").path == root / "images/a.jpg"
    assert finder.others([]) == []


@pytest.mark.parametrize(
    "written",
    ["../../etc/passwd", "../outside.jpg", "/etc/passwd", r"C:\secret.jpg", "a/../../outside.jpg", r"..\outside.jpg"],
)
def test_a_file_outside_the_folders_is_refused(tree, tmp_path, written):
    root = tree("a.jpg", "a/b.jpg")
    (tmp_path / "outside.jpg").touch()
    assert find_image(root, "x.xml", written) == (None, "path_outside_root")


@pytest.mark.parametrize("place", [".photos", "__MACOSX", ".cache/photos"])
def test_a_place_inside_a_skipped_folder_is_searched(tree, place):
    root = tree(f"{place}/a.jpg", "notes.txt")
    assert find_image(root, "x.csv", "a.jpg") == (None, "missing_image")
    assert find_image(root, "x.csv", "a.jpg", root / place) == (f"{place}/a.jpg", None)


def test_other_images_come_only_from_places_in_use(tree, tmp_path):
    root = tree("a.jpg", "b.jpg", ".hidden/c.jpg", "__MACOSX/d.jpg", "._a.jpg", "notes.txt")
    unused = tmp_path / "unused"
    unused.mkdir()
    (unused / "z.jpg").touch()
    finder = ImageFinder([root, unused])
    assert finder.others([root / "a.jpg"]) == [root / "b.jpg"]


def test_a_place_that_does_not_exist_holds_nothing(tmp_path):
    assert ImageFinder([tmp_path / "nowhere"]).find(tmp_path / "a.xml", "a.jpg").path is None


def test_images_of_annotations_in_a_subfolder_lie_in_the_same_subfolder():
    assert Path("data/images/train") in image_folders_for(Path("data/annotations/train"))
