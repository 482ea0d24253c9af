"""Label Studio's exports that are broken or hostile: problems, or refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import FormatError
from tasks.formats.label_studio import read_label_studio
from tasks.ground import files
from tests.formats.label_studio_export import annotation, kinds, read, rectangle, task


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
def test_a_rectangle_without_four_numbers_is_a_problem_and_the_others_are_read(tmp_path, changes):
    (image,), problems = read(tmp_path, [task(annotation(rectangle(**changes), rectangle()))])
    assert np.isnan(image.boxes).all(axis=1).tolist() == [True, False]
    assert kinds(problems) == [("unreadable_object", "dropped_box")]
    assert "object 1 (cat)" in problems[0].detail
    assert len(problems[0].detail) < 300


@pytest.mark.parametrize(
    "entry",
    [7, None, "task", [task()], task("annotation"), task({"result": 7}), {**task(), "annotations": "x"}],
    ids=["number", "null", "text", "list", "annotation", "result", "annotations"],
)
def test_an_entry_that_is_not_a_task_is_a_problem_and_the_others_are_read(tmp_path, entry):
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
def test_any_export_gives_images_and_problems(tmp_path_factory, content):
    images, problems = read(tmp_path_factory.mktemp("ls"), content)
    unread = sum(int((~np.isfinite(image.boxes)).any(axis=1).sum()) for image in images)
    assert unread == sum(problem.action == "dropped_box" for problem in problems)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a JSON file"),
        ('{"images": []}', "not a list"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "9" * 5000 + "]", "not a JSON file"),
    ],
    ids=["empty", "COCO", "deep", "digits"],
)
def test_content_that_is_not_an_export_is_refused_with_the_file(tmp_path, content, message):
    with pytest.raises(FormatError, match=message) as error:
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
