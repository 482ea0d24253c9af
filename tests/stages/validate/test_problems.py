"""Stage validate: how problems are reported, and which stop the pipeline."""

import re
from pathlib import Path

import numpy as np
import pytest

from tasks.dataset.dataset import Problem
from tasks.dataset.problem_kinds import KINDS
from tasks.errors import DataError, ParamsError
from tests.stages.validate.gated import CAT, photo, problems_of, run


def test_a_problem_holds_the_box_as_annotated_also_where_it_was_dropped_or_fixed(here):
    image = photo(
        "a.jpg", CAT, ("cat", [9, 9, 40, 40]), ("cat", [70, 5, 90, 20]), ("cat", [30, 40, 1, 2]), ("dog", [3, 3, 9, 9])
    )
    dataset, _ = run(image, min_boxes_per_class=2)
    assert {(p.kind, p.file, p.image, p.box) for p in dataset.problems} == {
        ("box_outside_image", "photos/a.jpg", "", (70.0, 5.0, 90.0, 20.0)),
        ("duplicate_box", "photos/a.jpg", "", (30.0, 40.0, 1.0, 2.0)),
        ("rare_class", "photos/a.jpg", "", (3.0, 3.0, 9.0, 9.0)),
    }


def test_good_data_passes_unchanged(here):
    images = (photo("a.jpg", CAT, ("dog", [0, 0, 60, 48])), photo("b.png", CAT))
    dataset, figures = run(*images)
    assert dataset.problems == ()
    assert dataset.classes == ("cat", "dog")
    for before, after in zip(images, dataset.images, strict=True):
        assert (after.file_name, after.sha256, after.source) == (before.file_name, before.sha256, before.source)
        np.testing.assert_array_equal(after.boxes, before.boxes)
    assert figures == {
        "images": 2, "boxes": 3, "dropped_images": 0, "dropped_boxes": 0, "fixed_boxes": 0, "problems": {},
        "classes": {"cat": 2, "dog": 1}, "difficult": 0, "iscrowd": 0,
    }  # fmt: skip


def test_a_policy_for_one_kind_overrides_on_problem(here):
    images = photo("a.jpg", CAT, ("cat", [-5, 2, 30, 40]), ("cat", [5, 5, 5, 5])), photo("b.jpg")
    dataset, _ = run(*images, policy={"box_partly_outside": "drop", "no_objects": "drop"})
    assert problems_of(dataset) == [
        ("no_objects", "dropped_image"),
        ("box_partly_outside", "dropped_box"),
        ("tiny_box", "dropped_box"),
    ]
    with pytest.raises(DataError, match=r"1 problems, and validate\.policy says fail for them: tiny_box 1"):
        run(*images, policy={"tiny_box": "fail"})
    assert run(*images, on_problem="fail", policy={"tiny_box": "drop", "box_partly_outside": "fix"})[0].images


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"tiny_bx": "drop"}, r"validate\.policy\.tiny_bx: no such kind of problem; did you mean tiny_box"),
        ({"box_outside_image": "keep"}, r"validate\.policy\.box_outside_image: not possible: keep"),
        ({"missing_image": "keep"}, "choose from drop"),
    ],
)
def test_an_invalid_policy_is_refused_before_any_image_is_opened(here, policy, message):
    with pytest.raises(ParamsError, match=message):
        run(photo("a.jpg", CAT), policy=policy)


def test_problems_of_ingest_are_kept_and_counted(here):
    before = [
        Problem("unreadable_annotation", "x.xml", "not XML", "dropped_image"),
        Problem("missing_image", "y.xml", "no image", "dropped_image"),
        Problem("box_of_dropped_image", "y.xml", "object 1", "dropped_box"),
        Problem("image_without_annotation", "z.jpg", "none", "left_out"),
    ]
    dataset, figures = run(photo("a.jpg", CAT, ("cat", [30, 40, 1, 1])), problems=before)
    assert dataset.problems[:4] == tuple(before)
    assert (figures["dropped_images"], figures["dropped_boxes"], figures["fixed_boxes"]) == (2, 1, 1)
    assert figures["problems"]["image_without_annotation"] == 1
    assert figures["problems"]["inverted_box"] == 1


def test_fail_lists_the_first_problems_with_file_object_and_remedy(here):
    boxes = [("cat", [i, 5, i, 9]) for i in range(1, 26)]
    with pytest.raises(DataError) as error:
        run(photo("a.jpg", CAT, *boxes), on_problem="fail")
    lines = str(error.value).splitlines()
    assert lines[0] == "25 problems, and validate.on_problem is fail: tiny_box 25"
    assert lines[1].startswith("  photos/a.jpg: object 2 (cat) [1, 5, 1, 9]: ")
    assert lines[1].endswith(KINDS["tiny_box"].remedy)
    assert lines[-1] == "  and 5 more"
    assert len(lines) == 22
    assert not Path("valid.json").exists()
    assert not Path("metrics.json").exists()


@pytest.mark.parametrize("kind", ["missing_image", "unreadable_annotation"])
def test_fail_stops_for_problems_of_ingest(here, kind):
    with pytest.raises(DataError, match=f"{kind} 1"):
        run(photo("a.jpg", CAT), problems=[Problem(kind, "x.xml", "gone", "dropped_image")], on_problem="fail")


def test_fail_does_not_stop_for_missing_sizes_or_images_without_annotation(here):
    other = Problem("image_without_annotation", "z.jpg", "none", "left_out")
    dataset, _ = run(photo("a.jpg", CAT, annotated_size=(0, 0)), photo("b.jpg"), problems=[other], on_problem="fail")
    assert [image.width for image in dataset.images] == [64, 64]


@pytest.mark.parametrize(
    ("objects", "problems", "message"),
    [
        ([CAT, ("cat", [5, 5, 5, 5])], [], r"1 of 2 boxes were dropped: tiny_box 1; .* at most 0\.4"),
        (
            [CAT],
            [Problem("missing_image", "x.xml", "", "dropped_image")],
            "1 of 2 images were dropped: missing_image 1",
        ),
    ],
    ids=["boxes", "images"],
)
def test_more_drops_than_allowed_stop_the_pipeline_before_anything_is_written(here, objects, problems, message):
    with pytest.raises(DataError, match=message):
        run(photo("a.jpg", *objects), problems=problems, max_dropped_fraction=0.4)
    assert not Path("valid.json").exists()
    assert not Path("metrics.json").exists()


def test_drops_of_exactly_the_limit_are_allowed(here):
    assert len(run(photo("a.jpg", CAT, ("cat", [5, 5, 5, 5])), max_dropped_fraction=0.5)[0].images) == 1


def test_images_without_annotation_do_not_count_as_dropped(here):
    others = [Problem("image_without_annotation", f"{i}.jpg", "none", "left_out") for i in range(9)]
    assert run(photo("a.jpg", CAT), problems=others, max_dropped_fraction=0.0)[1]["dropped_images"] == 0


def test_a_data_set_without_boxes_stops_the_pipeline_whatever_the_limit(here):
    with pytest.raises(DataError, match="at least one must stay"):
        run(photo("a.jpg", ("cat", [5, 5, 5, 5])))


def test_the_printed_table_counts_each_kind(here, capsys):
    run(photo("a.jpg", CAT, ("cat", [5, 5, 5, 5]), ("cat", [6, 6, 6, 6])))
    assert re.search(r"^tiny_box  +2  dropped box    drop \(default\)$", capsys.readouterr().out, re.MULTILINE)


def test_an_annotation_that_names_another_image_stops_unless_the_policy_keeps_it(here):
    found = Problem("other_image_named", "a.xml", "<filename> is 'b.jpg'", "kept")
    with pytest.raises(DataError, match=r"other_image_named 1(?s:.*)correct <filename>, or delete it"):
        run(photo("a.jpg", CAT), problems=[found])
    dataset, _ = run(photo("a.jpg", CAT), problems=[found], policy={"other_image_named": "keep"})
    assert problems_of(dataset) == [("other_image_named", "kept")]
