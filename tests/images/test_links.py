"""Links among images: followed inside of the searched folders, never out of them."""

import pytest

from tasks.images.image_finder import ImageFinder
from tests.images.find_image import find_image


def test_a_link_to_a_file_outside_is_refused(tree, tmp_path):
    root = tree("a.jpg")
    (tmp_path / "secret.jpg").touch()
    (root / "b.jpg").symlink_to(tmp_path / "secret.jpg")
    assert find_image(root, "x.xml", "b.jpg") == (None, "path_outside_root")


def test_a_link_inside_the_folders_is_an_image(tree):
    root = tree("store/1.jpg")
    (root / "b.jpg").symlink_to(root / "store/1.jpg")
    assert find_image(root, "x.xml", "b.jpg") == ("b.jpg", None)


def test_a_link_to_a_folder_outside_is_not_searched_and_is_reported(tree, tmp_path):
    root = tree("a.jpg")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "b.jpg").touch()
    (root / "images").symlink_to(tmp_path / "photos")
    finder = ImageFinder([root])
    assert finder.find(root / "x.xml", "b.jpg").path is None
    assert [(p.kind, p.action) for p in finder.problems] == [("path_outside_root", "kept")]


def test_a_place_may_itself_be_a_link(tree, tmp_path):
    root = tree("a.jpg")
    (tmp_path / "link").symlink_to(root)
    assert ImageFinder([tmp_path / "link"]).find(root / "a.xml", "a.jpg").path == tmp_path / "link/a.jpg"


@pytest.fixture
def linked(tree, tmp_path):
    """A folder with notes.txt, in which `train` is a link to a folder outside, with a.jpg and a link in it."""
    root = tree("notes.txt")
    for name in ("photos/a.jpg", "photos/sub/b.jpg", "private/secret.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "photos" / "more").symlink_to(tmp_path / "private")
    (root / "train").symlink_to(tmp_path / "photos")
    return root


def test_a_place_that_is_a_link_inside_another_is_searched(linked):
    finder = ImageFinder([linked, linked / "train"])
    assert finder.find(linked / "x.csv", "a.jpg") == (linked / "train/a.jpg", None)
    assert finder.find(linked / "x.csv", "train/a.jpg") == (linked / "train/a.jpg", None)
    assert finder.others([linked / "train/a.jpg"]) == [linked / "train/sub/b.jpg"]


def test_a_place_behind_a_link_inside_another_is_searched_and_nothing_else_behind_it(linked):
    finder = ImageFinder([linked, linked / "train/sub"])
    assert finder.find(linked / "x.csv", "b.jpg").path == linked / "train/sub/b.jpg"
    assert finder.find(linked / "x.csv", "a.jpg").path is None


def test_links_below_a_place_that_is_a_link_are_not_followed(linked):
    finder = ImageFinder([linked, linked / "train"])
    assert finder.find(linked / "x.csv", "secret.jpg").path is None
    assert [(p.kind, p.action) for p in finder.problems] == [("path_outside_root", "kept")]


def test_a_place_that_links_back_to_its_parent_adds_no_images(tree):
    root = tree("a.jpg", "b.jpg")
    (root / "loop").symlink_to(root)
    finder = ImageFinder([root, root / "loop"])
    assert finder.find(root / "x.xml", "a.jpg") == (root / "a.jpg", None)
    assert finder.others([root / "a.jpg"]) == [root / "b.jpg"]


def test_a_link_to_itself_does_not_loop(tree):
    root = tree("a.jpg")
    (root / "loop").symlink_to(root)
    assert find_image(root, "x.xml", "a.jpg") == ("a.jpg", None)
