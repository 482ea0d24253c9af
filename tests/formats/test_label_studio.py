"""Label Studio's exports: rectangles in percent, several annotations of a task, other shapes, hostile files."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks import files
from tasks.errors import FormatError
from tasks.formats.label_studio import read_label_studio, without_upload_prefix

# Hypothesis reads the project's sources before its first example, which takes seconds on a busy machine.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def value(x=10, y=20, width=30, height=40, rotation=0, labels=("cat",)):
    sides = {"x": x, "y": y, "width": width, "height": height}
    return {**sides, "rotation": rotation, "rectanglelabels": list(labels)}


def rectangle(size=(200, 100), **changes):
    sizes = {"original_width": size[0], "original_height": size[1], "image_rotation": 0} if size else {}
    return {"id": "r", "from_name": "label", "type": "rectanglelabels", "value": value(**changes), **sizes}


def annotation(*results, **changes):
    return {"id": 1, "was_cancelled": False, "result": list(results), "updated_at": "2024-01-01T00:00:00Z", **changes}


def task(*annotations, image="/data/upload/1/ab12cd34-a.jpg", **changes):
    return {"id": 7, "data": {"image": image}, "annotations": list(annotations), **changes}


def flat(*values, **changes):
    sizes = {"original_width": 200, "original_height": 100}
    return {"id": 7, "image": "a.jpg", "label": [{**each, **sizes} for each in values], **changes}


def read(tmp_path, content):
    path = tmp_path / "export.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_label_studio(path)


def kinds(problems):
    return [(problem.kind, problem.action) for problem in problems]


@pytest.mark.parametrize("export", [task(annotation(rectangle())), flat(value())], ids=["JSON", "JSON-MIN"])
def test_a_rectangle_in_percent_becomes_a_box_in_pixels(tmp_path, export):
    (image,), problems = read(tmp_path, [export])
    assert problems == []
    assert (image.width, image.height, image.classes) == (200, 100, ("cat",))
    assert image.boxes.tolist() == [[20, 20, 80, 60]]
    assert image.source == f"{(tmp_path / 'export.json').as_posix()}: task 7"


@patient
@given(box=st.tuples(*[st.integers(0, 10_000_000)] * 4), size=st.tuples(st.integers(1, 9000), st.integers(1, 9000)))
def test_pixels_written_in_percent_come_back(tmp_path_factory, box, size):
    xmin, ymin, width, height = (side / 1000 for side in box)
    percent = {"x": xmin / size[0], "y": ymin / size[1], "width": width / size[0], "height": height / size[1]}
    changes = {key: 100 * side for key, side in percent.items()}
    (image,), _ = read(tmp_path_factory.mktemp("ls"), [task(annotation(rectangle(size, **changes)))])
    np.testing.assert_allclose(image.boxes, [[xmin, ymin, xmin + width, ymin + height]], atol=1e-6)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/1/ab12cd34-a.jpg", "ab12cd34-a.jpg"),
        ("/data/upload/ab12cd34-a%20b.jpg", "ab12cd34-a b.jpg"),
        ("http://localhost:8080/data/upload/12/ab12cd34-a.jpg", "ab12cd34-a.jpg"),
        ("/data/local-files/?d=folder/a%20b.jpg", "folder/a b.jpg"),
        ("/data/local-files/?d=/folder/a.jpg&x=1", "folder/a.jpg"),
        ("/data/local-files/?d=../../etc/passwd", "../../etc/passwd"),
        ("photos/a #1?.jpg", "photos/a #1?.jpg"),
        ("https://example.org/sets/a%20b.jpg?X-Amz-Signature=1", "sets/a b.jpg"),
        ("s3://bucket/sets/a.jpg", "sets/a.jpg"),
        (r"C:\photos\a.jpg", r"C:\photos\a.jpg"),
        ("/home/me/a.jpg", "/home/me/a.jpg"),
        ("http://[broken/a.jpg", "http://[broken/a.jpg"),
    ],
)
def test_the_image_is_what_the_address_ends_with(tmp_path, address, name):
    (image,), _ = read(tmp_path, [task(annotation(), image=address)])
    assert image.file_name == name


def test_the_image_may_stand_under_another_name(tmp_path):
    data = {"photo": "sets/a.jpg", "text": "a cat", "number": 3}
    (image,), _ = read(tmp_path, [task(annotation(), data=data)])
    assert image.file_name == "sets/a.jpg"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"left": "a.jpg", "right": "b.jpg"},
        {"image": 7},
        {"image": ""},
        {"image": "data:image/png," + "A" * 9000},
        [],
    ],
    ids=["none", "two", "a number", "empty", "embedded", "a list"],
)
def test_a_task_that_names_no_image_is_a_problem(tmp_path, data):
    images, problems = read(tmp_path, [task(annotation(rectangle()), data=data)])
    assert images == []
    assert kinds(problems) == [("unreadable_annotation", "dropped_image")]
    assert len(problems[0].detail) < 200


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("ab12cd34-a.jpg", "a.jpg"),
        ("sets/ab12cd34-a-b.jpg", "sets/a-b.jpg"),
        ("ab12cd3-a.jpg", "ab12cd3-a.jpg"),
        ("ab12cd34-", "ab12cd34-"),
        ("xy12cd34-a.jpg", "xy12cd34-a.jpg"),
        ("ab12cd34-sets/a.jpg", "ab12cd34-sets/a.jpg"),
    ],
)
def test_the_prefix_of_uploads_can_be_taken_off(name, without):
    assert without_upload_prefix(name) == without


def test_an_annotation_without_results_is_an_image_without_objects(tmp_path):
    (image,), problems = read(tmp_path, [task(annotation())])
    assert (image.classes, image.boxes.shape, problems) == ((), (0, 4), [])


def test_a_task_nobody_annotated_gives_nothing(tmp_path):
    assert read(tmp_path, [task(), task(predictions=[{"result": [rectangle()]}])]) == ([], [])


def test_a_cancelled_annotation_is_left_out_and_told_of(tmp_path):
    images, problems = read(tmp_path, [task(annotation(rectangle(), was_cancelled=True))])
    assert (images, kinds(problems)) == ([], [("cancelled_annotation", "left_out")])


@pytest.mark.parametrize(
    ("times", "latest"),
    [
        (["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"], "1"),
        (["2024-01-02T00:00:00.5Z", "2024-01-02T00:00:00Z"], "0"),
        (["2024-01-02T00:00:00+02:00", "2024-01-01T23:00:00"], "1"),
        (["2024-01-02T00:00:00Z", "yesterday"], "0"),
        ([1700000000, 1600000000], "0"),
        ([None, None], "1"),
        ([10**400, 1600000000], "1"),
        ([float("nan"), []], "1"),
    ],
    ids=["days", "fractions", "zones", "words", "numbers", "none", "huge", "nan"],
)
@pytest.mark.parametrize("minimal", [False, True], ids=["JSON", "JSON-MIN"])
def test_of_several_annotations_the_latest_stays_and_the_others_are_told_of(tmp_path, times, latest, minimal):
    if minimal:
        content = [flat(value(labels=[str(i)]), updated_at=time) for i, time in enumerate(times)]
    else:
        annotations = [annotation(rectangle(labels=[str(i)]), updated_at=time) for i, time in enumerate(times)]
        content = [task(*annotations)]
    (image,), problems = read(tmp_path, content)
    assert image.classes == (latest,)
    assert kinds(problems) == [("superseded_annotation", "left_out")]


def test_a_cancelled_annotation_never_supersedes(tmp_path):
    late = annotation(was_cancelled=True, updated_at="2030-01-01T00:00:00Z")
    (image,), problems = read(tmp_path, [task(annotation(rectangle()), late)])
    assert (image.classes, kinds(problems)) == (("cat",), [("cancelled_annotation", "left_out")])


@pytest.mark.parametrize(
    ("degrees", "box"),
    [
        (90, [0, 20, 20, 80]),
        (180, [-40, 0, 20, 20]),
        (360, [20, 20, 80, 40]),
        (45, [20 - 20 / 2**0.5, 20, 20 + 60 / 2**0.5, 20 + 80 / 2**0.5]),
    ],
)
def test_a_turned_rectangle_becomes_the_upright_box_around_it(tmp_path, degrees, box):
    # 60 x 20 pixels, turned clockwise around its top left corner at (20, 20).
    turned = rectangle(x=10, y=20, width=30, height=20, rotation=degrees)
    (image,), problems = read(tmp_path, [task(annotation(turned))])
    np.testing.assert_allclose(image.boxes, [box], atol=1e-6)
    assert kinds(problems) == [("enclosing_box", "kept")]
    assert "turned by" in problems[0].detail


def test_several_names_of_a_rectangle_are_several_objects_and_no_name_is_none(tmp_path):
    (image,), problems = read(tmp_path, [task(annotation(rectangle(labels=["cat", "pet"]), rectangle(labels=[])))])
    assert (image.classes, problems) == (("cat", "pet", ""), [])


@pytest.mark.parametrize(
    ("result", "action"),
    [
        ({"type": "polygonlabels", "value": {"points": [[1, 2]], "polygonlabels": ["cat"]}}, "dropped_box"),
        ({"type": "rectangle", "value": {"x": 1, "y": 2, "width": 3, "height": 4}}, "dropped_box"),
        ({"type": "brushlabels", "value": {}}, "dropped_box"),
        ({**rectangle(), "image_rotation": 90}, "dropped_box"),
        ({"type": "choices", "value": {"choices": ["good"]}}, "kept"),
        ({"type": "relation", "from_id": "a", "to_id": "b"}, "kept"),
        ({"value": {"x": 1}}, "dropped_box"),
        ("rectangle", "dropped_box"),
    ],
    ids=["polygon", "no labels", "brush", "turned image", "choices", "relation", "no type", "no object"],
)
def test_what_is_no_rectangle_is_told_of_and_an_outline_keeps_its_image_from_being_empty(tmp_path, result, action):
    (image,), problems = read(tmp_path, [task(annotation(result))])
    assert kinds(problems) == [("unsupported_result", action)]
    assert len(image.classes) == (1 if action == "dropped_box" else 0)
    assert np.isnan(image.boxes).all()


def test_a_polygon_in_the_flat_export_is_told_of_and_choices_are_not_seen(tmp_path):
    polygon = {"points": [[1, 2]], "polygonlabels": ["cat"], "original_width": 200, "original_height": 100}
    (image,), problems = read(tmp_path, [flat(value(), shapes=[polygon], choice="good", meta=[{"a": 1}, 3])])
    assert image.classes == ("cat", "")
    assert kinds(problems) == [("unsupported_result", "dropped_box")]


@pytest.mark.parametrize(
    "changes",
    [
        {"x": "ten"},
        {"width": None},
        {"y": True},
        {"height": float("nan")},
        {"x": 10**400},
        {"x": 1e307},
        {"rotation": "left"},
    ],
    ids=["word", "none", "bool", "nan", "endless", "huge", "rotation"],
)
def test_a_rectangle_without_four_numbers_is_a_problem_and_the_others_stay(tmp_path, changes):
    (image,), problems = read(tmp_path, [task(annotation(rectangle(**changes), rectangle()))])
    assert np.isnan(image.boxes).all(axis=1).tolist() == [True, False]
    assert kinds(problems) == [("unreadable_object", "dropped_box")]
    assert "object 1 (cat)" in problems[0].detail
    assert len(problems[0].detail) < 300


@pytest.mark.parametrize("size", [None, (0, 0), (-5, 10), ("wide", 3), (10**400, 3)])
def test_without_a_size_boxes_are_fractions_until_the_image_is_found(tmp_path, size):
    (image,), problems = read(tmp_path, [task(annotation(rectangle(size), rectangle(size, rotation=30)))])
    assert (image.width, image.height) == (0, 0)
    np.testing.assert_allclose(image.boxes[0], [0.1, 0.2, 0.4, 0.6])
    assert kinds(problems) == [("unreadable_object", "dropped_box")]


@pytest.mark.parametrize(
    "entry",
    [7, None, "task", [task()], task("annotation"), task({"result": 7}), {**task(), "annotations": "x"}],
    ids=["number", "null", "text", "list", "annotation", "result", "annotations"],
)
def test_an_entry_that_is_no_task_is_a_problem_and_the_others_stay(tmp_path, entry):
    images, problems = read(tmp_path, [entry, task(annotation(rectangle()))])
    assert [image.classes for image in images] == [("cat",)]
    assert kinds(problems) == [("unreadable_annotation", "dropped_image")]


KEYS = st.sampled_from(
    ["id", "data", "image", "annotations", "result", "type", "value", "x", "y", "width", "height", "rotation",
     "rectanglelabels", "original_width", "original_height", "image_rotation", "updated_at", "was_cancelled"]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.just(10**400),
    st.sampled_from(["rectanglelabels", "a.jpg"]),
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=8))


@patient
@given(
    content=st.lists(
        st.one_of(
            JSON,
            st.builds(lambda results: task(annotation(*results)), st.lists(JSON, max_size=3)),
            st.builds(lambda changes: task(annotation({**rectangle(), **changes})), st.dictionaries(KEYS, JSON)),
            st.builds(lambda sides: task(annotation(rectangle() | {"value": sides})), st.dictionaries(KEYS, JSON)),
        ),
        max_size=3,
    )
)
def test_whatever_an_export_says_is_images_and_problems(tmp_path_factory, content):
    images, problems = read(tmp_path_factory.mktemp("ls"), content)
    unread = sum(int((~np.isfinite(image.boxes)).any(axis=1).sum()) for image in images)
    assert unread == sum(problem.action == "dropped_box" for problem in problems)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a JSON file"),
        ('{"images": []}', "not a list"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "9" * 5000 + "]", "not a JSON file"),
    ],
    ids=["empty", "COCO", "deep", "digits"],
)
def test_what_is_no_export_is_refused_with_the_file(tmp_path, content, said):
    with pytest.raises(FormatError, match=said) as error:
        read(tmp_path, content)
    assert str(tmp_path / "export.json") in str(error.value)
    assert "Label Studio's JSON" in str(error.value)


def test_a_file_that_is_not_utf8_or_too_large_is_refused(tmp_path, monkeypatch):
    (tmp_path / "export.json").write_bytes(b'["\xff"]')
    with pytest.raises(FormatError, match="not a JSON file"):
        read_label_studio(tmp_path / "export.json")
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 3)
    with pytest.raises(FormatError, match="at most 3 are read"):
        read_label_studio(tmp_path / "export.json")
