"""YOLO rows with more than a box: key points, tracks and confidences after it, or polygons in its place."""

import numpy as np
import pytest

from tasks.errors import FormatError
from tasks.formats.yolo import read_yolo
from tasks.formats.yolo_rows import Row, meaning_of_long_rows, read_row
from tests.formats.yolo_folder import make

POSE = "0 .81 .64 .25 .25 .68 .52 2 .94 .52 2 .94 .76 2 .68 .76 2"
POSE_BOX = [0.685, 0.515, 0.935, 0.765]
TRACK_BOX = [0.4, 0.4, 0.6, 0.6]
TRIANGLE = "0 .9 .1 .5 .1 .5 .5"
SMALL_TRIANGLE = "0 .3 .3 .35 .3 .35 .35"


def data(tmp_path, *rows, shape=""):
    return make(tmp_path / "data", {"data.yaml": f"names: [cat]\n{shape}", "labels/a.txt": "\n".join(rows)})


@pytest.mark.parametrize(
    ("row", "shape", "box"),
    [
        (POSE, "kpt_shape: [4, 3]", POSE_BOX),
        (f"{POSE} 0.93", "kpt_shape: [4, 3]", POSE_BOX),
        (f"{POSE} 0.93 17", "kpt_shape: [4, 3]", POSE_BOX),
        ("0 .81 .64 .25 .25 .1 .1 .2 .2", "kpt_shape: [2, 2]", POSE_BOX),
        ("0 .81 .64 .25 .25", "kpt_shape: [2, 2]", POSE_BOX),
        (POSE, "kpt_shape: !!python/object/apply:os.getcwd []", None),
    ],
    ids=["three numbers", "confidence", "confidence and id", "outside", "only the box", "a tag"],
)
def test_kpt_shape_says_that_key_points_follow_the_box(tmp_path, row, shape, box):
    folder = data(tmp_path, row, shape=shape)
    if box is None:
        with pytest.raises(FormatError, match="kpt_shape: expected"):
            read_yolo(folder)
        return
    (read,), problems, _ = read_yolo(folder)
    assert problems == []
    np.testing.assert_allclose(read.boxes, [box])


def test_a_row_that_contradicts_kpt_shape_is_a_problem_with_its_line(tmp_path):
    (read,), (problem,), _ = read_yolo(data(tmp_path, POSE, "0 .5 .5 .2 .2 .5 .5 2", shape="kpt_shape: [4, 3]"))
    assert np.isnan(read.boxes).all(axis=1).tolist() == [False, True]
    assert (problem.kind, problem.file.rpartition(":")[2]) == ("unreadable_object", "2")
    assert "8 values; kpt_shape in data.yaml says class cx cy w h and 4 key points of 3 numbers" in problem.detail


@pytest.mark.parametrize("shape", ["4", "[4]", "[4, 5]", "[-1, 2]", "[4, 3, 1]", "[a, 3]", "{4: 3}", "[1001, 3]"])
def test_a_kpt_shape_that_is_none_is_refused(tmp_path, shape):
    with pytest.raises(FormatError, match=r"data\.yaml: kpt_shape: expected \[N, 2\] or \[N, 3\]"):
        read_yolo(data(tmp_path, POSE, shape=f"kpt_shape: {shape}"))


@pytest.mark.parametrize(
    ("row", "box"),
    [
        (POSE, POSE_BOX),
        (POSE.replace(" 2", " 1"), POSE_BOX),
        (POSE.replace(".94 .76 2", "0 0 0"), POSE_BOX),
        (f"{POSE} 0.93 17", POSE_BOX),
        ("0 .5 .5 .2 .2 .45 .45 .55 .45 .55 .55", TRACK_BOX),
        ("0 .5 .5 .2 .2 .4 .4 .6 .4 .6 .6 .4 .6", TRACK_BOX),
        ("0 .5 .5 .2 .2 .5 .5 2", TRACK_BOX),
        ("0 .5 .5 .2 .2 .93 17", TRACK_BOX),
        ("0 .5 .5 .2 .2 17 .93", TRACK_BOX),
    ],
    ids=["visible", "hidden", "one missing", "of a track", "two numbers", "corners", "one", "track", "id first"],
)
def test_a_box_that_holds_all_later_points_is_the_box(tmp_path, row, box):
    (read,), (problem,), _ = read_yolo(data(tmp_path, row))
    np.testing.assert_allclose(read.boxes, [box])
    assert (problem.kind, problem.action) == ("values_after_box", "kept")
    assert f"{len(row.split()) - 5} values after the box" in problem.detail


@pytest.mark.parametrize(
    ("row", "box"),
    [
        (TRIANGLE, [0.5, 0.1, 0.9, 0.5]),
        ("0 .3 .3 .35 .3 .35 .35 .3 .35", [0.3, 0.3, 0.35, 0.35]),
        ("0 .3 .3 .33 .29 .35 .3 .36 .33 .33 .35 .31 .33", [0.3, 0.29, 0.36, 0.35]),
        ("0 0 0 1 0 1 1 0 1", [0, 0, 1, 1]),
        ("0 .9 .9 1.02 .9 1.02 1.02", [0.9, 0.9, 1.02, 1.02]),
    ],
    ids=["triangle", "upright rectangle", "small outline", "whole image", "leaves the image"],
)
def test_corners_that_are_no_box_with_later_points_are_a_polygon(tmp_path, row, box):
    (read,), (problem,), _ = read_yolo(data(tmp_path, row))
    np.testing.assert_allclose(read.boxes, [box])
    assert problem.kind == "enclosing_box"


@pytest.mark.parametrize("row", ["0 .5 .5 .2 .2 .93 1", SMALL_TRIANGLE, "0 .5 .5 .4 .4 .45 .45"])
def test_a_row_that_can_be_both_stops_and_names_its_line(tmp_path, row):
    folder = data(tmp_path, "0 .5 .5 .1 .1", row)
    with pytest.raises(FormatError, match=r"a\.txt:2: can be a box with values after it, or a polygon; .*kpt_shape"):
        read_yolo(folder)


def test_rows_that_can_be_both_are_what_the_others_are(tmp_path):
    (read,), _, _ = read_yolo(data(tmp_path / "1", SMALL_TRIANGLE, TRIANGLE))
    np.testing.assert_allclose(read.boxes, [[0.3, 0.3, 0.35, 0.35], [0.5, 0.1, 0.9, 0.5]])
    (read,), _, _ = read_yolo(data(tmp_path / "2", "0 .5 .5 .2 .2 .93 1", "0 .5 .5 .2 .2 .93 2"))
    np.testing.assert_allclose(read.boxes, [TRACK_BOX] * 2)
    (read,), _, _ = read_yolo(data(tmp_path / "3", SMALL_TRIANGLE, shape="kpt_shape: [0, 2]"))
    np.testing.assert_allclose(read.boxes, [[0.3, 0.3, 0.35, 0.35]])


def test_one_key_point_outside_its_box_does_not_make_a_polygon(tmp_path):
    inside = "0 .5 .5 .2 .2 .4 .4 .6 .4 .6 .6 .4 .6"
    (read,), _, _ = read_yolo(data(tmp_path, *[inside] * 21, inside.replace(".4 .6", ".4 .9")))
    np.testing.assert_allclose(read.boxes, [TRACK_BOX] * 22)


def test_rows_that_contradict_each_other_stop_and_name_a_line_of_each(tmp_path):
    with pytest.raises(FormatError, match=r"a\.txt:1 and .*a\.txt:2: 1 rows are boxes .*, 1 are polygons"):
        read_yolo(data(tmp_path, POSE, TRIANGLE))


@pytest.mark.parametrize("row", ["0 .1 .1 .5 .1 .5 .5 7", "0 .1 .1 .9 .9 .5 .5 2", "0 .1 .1 .2 .2 .3 .3 .4"])
def test_a_value_above_1_is_no_corner_and_a_row_that_is_neither_is_unreadable(tmp_path, row):
    (read,), (problem,), _ = read_yolo(data(tmp_path, row))
    assert np.isnan(read.boxes).all()
    assert problem.kind == "unreadable_object"
    assert "neither a box nor the corners of a polygon" in problem.detail


def _rows(shapes):
    return [("a.txt:1", read_row([f"{value:.6f}" for value in shape.ravel()], None)) for shape in shapes]


def _outline(random, corners):
    """A random outline of 2 to 60 % of the image, cut at its edge."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + random.uniform(0, 2 * np.pi)
    radii = random.uniform(0.7, 1, corners) * random.uniform(0.01, 0.3)
    points = np.stack([np.cos(angles) * random.uniform(0.3, 1), np.sin(angles)], axis=1) * radii[:, None]
    return (points + random.uniform(0, 1, 2)).clip(0, 1)


def _person(random, points):
    size = random.uniform(0.05, 0.6, 2)
    centre = random.uniform(size / 2, 1 - size / 2)
    places = centre + random.uniform(-0.5, 0.5, (points, 2)) * size
    places[random.uniform(size=points) < 0.2] = 0
    return np.concatenate([centre, size, places.ravel()])


@pytest.mark.parametrize("corners", [3, 4, 6, 8, 20, 100])
def test_outlines_of_any_size_and_place_are_polygons(corners):
    random = np.random.default_rng(corners)
    assert meaning_of_long_rows(_rows([_outline(random, corners) for _ in range(300)])) == "polygon"


@pytest.mark.parametrize("points", [5, 9, 17])
def test_key_points_of_two_numbers_follow_a_box(points):
    random = np.random.default_rng(points)
    assert meaning_of_long_rows(_rows([_person(random, points) for _ in range(300)])) == "box"


def test_no_long_row_says_nothing():
    assert meaning_of_long_rows([]) is None
    assert read_row(["0.5"] * 4, None) == Row(4, [0.25, 0.25, 0.75, 0.75], None, "box")
