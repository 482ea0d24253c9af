"""Label Studio's exports: rectangles in percent, several annotations of a task, other shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.label_studio_export import annotation, flat, kinds, read, rectangle, task, value


@pytest.mark.parametrize("export", [task(annotation(rectangle())), flat(value())], ids=["JSON", "JSON-MIN"])
def test_a_rectangle_in_percent_becomes_a_box_in_pixels(tmp_path, export):
    (image,), problems = read(tmp_path, [export])
    assert problems == []
    assert (image.width, image.height, image.classes) == (200, 100, ("cat",))
    assert image.boxes.tolist() == [[20, 20, 80, 60]]
    assert image.source == f"{(tmp_path / 'export.json').as_posix()}: task 7"


@given(box=st.tuples(*[st.integers(0, 10_000_000)] * 4), size=st.tuples(st.integers(1, 9000), st.integers(1, 9000)))
def test_pixels_written_in_percent_are_read_exactly(tmp_path_factory, box, size):
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
        ("http://[broken/a.jpg", "a.jpg"),
        ("/data/local-files/?d=a & b #1.jpg&x=1", "a & b #1.jpg"),
        ("/data/local-files?x=1&d=a%2Bb.jpg", "a+b.jpg"),
        ("/data/local-files/?d=photos/a+b%20c.jpg", "?d=photos/a+b%20c.jpg"),
        ("s3://bucket/sets/a #1%20.jpg", "sets/a #1%20.jpg"),
        ("https://example.org/a #1.jpg?X=a#b", "a #1.jpg"),
        ("/storage-data/uploaded/?filepath=upload/1/ab12cd34-a.jpg", "upload/1/ab12cd34-a.jpg"),
        ("photo:1.jpg", "photo:1.jpg"),
    ],
)
def test_the_file_name_is_the_path_in_the_address(tmp_path, address, name):
    (image,), _ = read(tmp_path, [task(annotation(), image=address)])
    assert image.file_name == name


def test_the_address_may_have_another_key_than_image(tmp_path):
    data = {"photo": "sets/a.jpg", "text": "a cat", "number": 3}
    (image,), _ = read(tmp_path, [task(annotation(), data=data)])
    assert image.file_name == "sets/a.jpg"


def test_an_annotation_without_results_is_an_image_without_objects(tmp_path):
    (image,), problems = read(tmp_path, [task(annotation())])
    assert (image.classes, image.boxes.shape, problems) == ((), (0, 4), [])


def test_a_task_nobody_annotated_gives_nothing(tmp_path):
    assert read(tmp_path, [task(), task(predictions=[{"result": [rectangle()]}])]) == ([], [])


def test_a_cancelled_annotation_is_left_out_and_reported(tmp_path):
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
def test_the_latest_of_several_annotations_is_used_and_the_others_are_reported(tmp_path, times, latest, minimal):
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
def test_a_rotated_rectangle_becomes_the_upright_box_around_it(tmp_path, degrees, box):
    # 60 x 20 pixels, turned clockwise around its top left corner at (20, 20).
    turned = rectangle(x=10, y=20, width=30, height=20, rotation=degrees)
    (image,), problems = read(tmp_path, [task(annotation(turned))])
    np.testing.assert_allclose(image.boxes, [box], atol=1e-6)
    assert kinds(problems) == [("enclosing_box", "kept")]
    assert "rotated by" in problems[0].detail


def test_a_rectangle_gives_one_object_for_each_of_its_names(tmp_path):
    (image,), problems = read(tmp_path, [task(annotation(rectangle(labels=["cat", "pet"]), rectangle(labels=[])))])
    assert (image.classes, problems) == (("cat", "pet", ""), [])


@pytest.mark.parametrize(
    ("result", "action"),
    [
        ({"type": "polygonlabels", "value": {"points": [[1, 2]], "polygonlabels": ["cat"]}}, "dropped_box"),
        ({"type": "labels", "value": {"x": 1, "y": 2, "width": 3, "height": 4, "labels": ["cat"]}}, "dropped_box"),
        ({"type": "brushlabels", "value": {}}, "dropped_box"),
        ({**rectangle(), "image_rotation": 90}, "dropped_box"),
        ({"type": "choices", "value": {"choices": ["good"]}}, "kept"),
        ({"type": "relation", "from_id": "a", "to_id": "b"}, "kept"),
        ({"value": {"x": 1}}, "dropped_box"),
        ("rectangle", "dropped_box"),
    ],
    ids=["polygon", "labels of nothing", "brush", "turned image", "choices", "relation", "no type", "no object"],
)
def test_other_results_are_reported_and_an_outline_is_a_dropped_object(tmp_path, result, action):
    (image,), problems = read(tmp_path, [task(annotation(result))])
    assert kinds(problems) == [("unsupported_result" if action == "dropped_box" else "unused_result", action)]
    assert len(image.classes) == (1 if action == "dropped_box" else 0)
    assert np.isnan(image.boxes).all()


def test_a_polygon_in_the_flat_export_is_reported_and_choices_are_ignored(tmp_path):
    polygon = {"points": [[1, 2]], "polygonlabels": ["cat"], "original_width": 200, "original_height": 100}
    (image,), problems = read(tmp_path, [flat(value(), shapes=[polygon], choice="good", meta=[{"a": 1}, 3])])
    assert image.classes == ("cat", "")
    assert kinds(problems) == [("unsupported_result", "dropped_box")]


@pytest.mark.parametrize("size", [None, (0, 0), (-5, 10), ("wide", 3), (10**400, 3)])
def test_without_a_size_boxes_are_fractions_until_the_image_is_found(tmp_path, size):
    (image,), problems = read(tmp_path, [task(annotation(rectangle(size), rectangle(size, rotation=30)))])
    assert (image.width, image.height) == (0, 0)
    np.testing.assert_allclose(image.boxes[0], [0.1, 0.2, 0.4, 0.6])
    assert kinds(problems) == [("unreadable_object", "dropped_box")]


def of_region(kind, said, name="r", **changes):
    """A result that belongs to the rectangle of the id `name`: Label Studio repeats its numbers there."""
    return {**rectangle(), "id": name, "type": kind, "value": {**value(), kind: said} | changes}


PROPERTIES = [
    ("choices", ["red"]), ("text", ["an old one"]), ("number", 3), ("rating", 4), ("taxonomy", [["a", "b"]]),
    ("datetime", "2024-01-01"), ("textarea", ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said"), PROPERTIES, ids=[kind for kind, _ in PROPERTIES])
@pytest.mark.parametrize("first", [True, False], ids=["after the rectangle", "before it"])
def test_what_is_said_of_a_rectangle_is_no_object_of_its_own(tmp_path, kind, said, first):
    results = [rectangle(), of_region(kind, said)]
    (image,), problems = read(tmp_path, [task(annotation(*(results if first else reversed(results))))])
    assert image.classes == ("cat",)
    np.testing.assert_allclose(image.boxes, [[20, 20, 80, 60]])
    assert kinds(problems) == [("unused_result", "kept")]
    assert f"object {1 if first else 2} (cat): its {kind} (" in problems[0].detail


@pytest.mark.parametrize("first", [True, False], ids=["rectangle first", "label first"])
def test_a_rectangle_and_its_label_are_joined_by_their_id(tmp_path, first):
    """As `<Rectangle>` and `<Labels>` give them."""
    results = [of_region("rectangle", None), of_region("labels", ["cat"])]
    other = [of_region("rectangle", None, "s", x=50), of_region("labels", ["dog"], "s", x=50)]
    (image,), problems = read(tmp_path, [task(annotation(*(results if first else reversed(results)), *other))])
    assert image.classes == ("cat", "dog")
    np.testing.assert_allclose(image.boxes, [[20, 20, 80, 60], [100, 20, 160, 60]])
    assert problems == []


def test_a_rectangle_without_a_label_has_no_class_and_what_is_said_of_it_is_reported(tmp_path):
    (image,), problems = read(tmp_path, [task(annotation(of_region("rectangle", None), of_region("choices", ["red"])))])
    assert image.classes == ("",)
    assert "object 1 (no class): its choices (red) is not used" in problems[0].detail


def test_the_words_of_a_text_area_are_named(tmp_path):
    area = {"id": "r", "type": "textarea", "value": {**value(), "text": ["an old one"]}}
    _, problems = read(tmp_path, [task(annotation(rectangle(), area))])
    assert "its textarea (an old one) is not used" in problems[0].detail


def test_a_polygon_and_its_label_are_one_dropped_object(tmp_path):
    polygon = {"id": "r", "type": "polygon", "value": {"points": [[1, 2]]}}
    label = {"id": "r", "type": "labels", "value": {"points": [[1, 2]], "labels": ["cat"]}}
    (image,), problems = read(tmp_path, [task(annotation(polygon, label))])
    assert image.classes == ("",)
    assert kinds(problems) == [("unsupported_result", "dropped_box")]


def test_results_of_other_regions_are_not_joined(tmp_path):
    results = [rectangle(), of_region("choices", ["red"], "another")]
    (image,), problems = read(tmp_path, [task(annotation(*results))])
    assert image.classes == ("cat", "")
    assert kinds(problems) == [("unsupported_result", "dropped_box")]


def choices(name, *texts):
    return {"id": name, "from_name": name, "to_name": "image", "type": "choices", "value": {"choices": list(texts)}}


def test_choices_of_the_whole_image_are_its_slices(tmp_path):
    said = [choices("weather", "rain"), choices("light", "dusk", "backlit")]
    (image,), problems = read(tmp_path, [task(annotation(said[0], rectangle(), said[1]))])
    assert image.slices == {"weather": "rain", "light": "backlit, dusk"}
    assert (image.classes, problems) == (("cat",), [])


@pytest.mark.parametrize("texts", [[], [""], [3], [["a"]]])
def test_choices_without_a_text_are_no_slice(tmp_path, texts):
    (image,), problems = read(tmp_path, [task(annotation(rectangle(), choices("weather", *texts)))])
    assert image.slices == {}
    assert kinds(problems) == [("unused_result", "kept")]


def test_in_the_flat_export_what_belongs_together_has_the_same_numbers(tmp_path):
    sides = {key: number for key, number in value().items() if key != "rectanglelabels"}
    sizes = {"original_width": 200, "original_height": 100}
    row = {
        "id": 7,
        "image": "a.jpg",
        "shape": [{**sides, **sizes}, {**sides, "x": 50, **sizes}],
        "name": [{**sides, "labels": ["cat"], **sizes}, {**sides, "x": 50, "labels": ["dog"], **sizes}],
        "colour": [{**sides, "choices": ["red"], **sizes}],
    }
    (image,), problems = read(tmp_path, [row])
    assert image.classes == ("cat", "dog")
    np.testing.assert_allclose(image.boxes, [[20, 20, 80, 60], [100, 20, 160, 60]])
    assert kinds(problems) == [("unused_result", "kept")]
