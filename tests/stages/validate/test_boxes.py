"""Stage validate: what each fault of a box leads to under each policy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.errors import DataError
from tasks.gate.box_checks import BoxLimits, check_boxes
from tasks.gate.policy import Policy
from tasks.images.exif_frame import to_stored
from tests.stages.validate.gated import CAT, MODEL, ingested_image, photo, problems_of, run

# In a 64 x 48 image: the box, its problem, what `fix` makes of it (None: dropped), whether `drop` drops it.
FAULTY_BOXES = {
    "corners swapped": ([30, 40, 1, 2], "inverted_box", [1, 2, 30, 40]),
    "left and right swapped": ([30, 2, 1, 40], "inverted_box", [1, 2, 30, 40]),
    "right of the image": ([64, 2, 90, 40], "box_outside_image", None),
    "above the image": ([1, -20, 30, -1], "box_outside_image", None),
    "past the right edge": ([40, 2, 70, 40], "box_partly_outside", [40, 2, 64, 40]),
    "past all edges": ([-5, -5, 99, 99], "box_partly_outside", [0, 0, 64, 48]),
    "half a pixel past": ([1, 2, 30, 48.5], "box_partly_outside", [1, 2, 30, 48]),
    "swapped and past the edge": ([70, 40, 40, 2], "inverted_box", [40, 2, 64, 40]),
    "no width": ([5, 5, 5, 20], "tiny_box", None),
    "a point": ([5, 5, 5, 5], "tiny_box", None),
    "a pixel high": ([5, 5, 20, 6], "tiny_box", None),
    "a sliver after clipping": ([63, 5, 90, 20], "tiny_box", None),
    "not a number": ([5, float("nan"), 20, 20], "unreadable_object", None),
    "infinite": ([5, 5, float("inf"), 20], "unreadable_object", None),
}


@pytest.mark.parametrize(("box", "kind", "fixed"), FAULTY_BOXES.values(), ids=FAULTY_BOXES.keys())
def test_fix_repairs_a_faulty_box_or_drops_it(here, box, kind, fixed):
    image = replace(photo("a.jpg", CAT, CAT), classes=("dog", "cat"), boxes=as_boxes([[2, 2, 9, 9], box]))
    checked = check_boxes(image, "a.jpg", Policy("fix", {}), BoxLimits(2, None))
    action = "dropped_box" if fixed is None else "fixed_box"
    assert [(p.kind, p.action) for p in checked.problems] == [(kind, action)]
    assert checked.problems[0].detail.startswith("object 2 (cat) [")
    expected = [[2, 2, 9, 9]] if fixed is None else [[2, 2, 9, 9], fixed]
    assert checked.image.boxes.tolist() == expected
    assert checked.image.classes == ("dog", "cat")[: len(expected)]


@pytest.mark.parametrize(("box", "kind"), [(box, kind) for box, kind, _ in FAULTY_BOXES.values()], ids=FAULTY_BOXES)
def test_drop_drops_a_faulty_box(here, box, kind):
    image = replace(photo("a.jpg", CAT), boxes=as_boxes([box]))
    checked = check_boxes(image, "a.jpg", Policy("drop", {}), BoxLimits(2, None))
    assert checked.image.classes == ()
    assert [p.action for p in checked.problems] == ["dropped_box"]
    sliver = box == FAULTY_BOXES["a sliver after clipping"][0]
    assert checked.problems[0].kind == ("box_partly_outside" if sliver else kind)


@pytest.mark.parametrize("on_problem", ["fix", "drop", "fail"])
@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ([-0.0004, 2, 30, 40], [0, 2, 30, 40]),
        ([2, 2, 64.01, 48.000032], [2, 2, 64, 48]),
        ([2, -0.01, 30, 40], [2, 0, 30, 40]),
    ],
    ids=["six decimals", "right and bottom", "two decimals"],
)
def test_a_box_that_leaves_the_image_by_rounding_is_cut_without_a_problem(here, box, inside, on_problem):
    checked = check_boxes(
        replace(photo("a.jpg", CAT), boxes=as_boxes([box])), "a.jpg", Policy(on_problem, {}), BoxLimits(2, None)
    )
    assert checked.problems == ()
    assert checked.image.boxes.tolist() == [inside]


def test_a_box_outside_by_more_than_rounding_is_fixed(here):
    image = replace(photo("a.jpg", CAT), boxes=as_boxes([[-0.02, 2, 30, 40]]))
    checked = check_boxes(image, "a.jpg", Policy("fix", {}), BoxLimits(2, None))
    assert [(problem.kind, problem.action) for problem in checked.problems] == [("box_partly_outside", "fixed_box")]


@pytest.mark.parametrize("box", [[0, 0, 60, 48], [0, 0, 2, 2], [62, 46, 64, 48]], ids=["high", "smallest", "corner"])
def test_boxes_that_touch_the_edge_or_are_just_large_enough_pass(here, box):
    assert run(photo("a.jpg", ("cat", box)))[0].problems == ()


@given(
    rows=st.lists(st.tuples(*[st.integers(-30, 90).map(lambda half: half / 2)] * 4), max_size=6),
    on_problem=st.sampled_from(["fix", "drop"]),
)
def test_every_box_is_kept_or_has_one_problem_and_kept_boxes_are_sound(rows, on_problem):
    policy, limits = Policy(on_problem, {"box_covers_image": "drop"}), BoxLimits(1, None)
    n = len(rows)
    image = AnnotatedImage("a.jpg", 40, 30, as_boxes(rows), ("cat",) * n, flags(n), flags(n))
    checked = check_boxes(image, "a.jpg", policy, limits)
    dropped = sum(problem.action == "dropped_box" for problem in checked.problems)
    assert len(checked.image.classes) + dropped == n
    assert len(checked.problems) <= n
    boxes = checked.image.boxes
    assert ((boxes >= 0) & (boxes <= [40, 30, 40, 30])).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()
    assert len(np.unique(boxes, axis=0)) == len(boxes)
    assert check_boxes(checked.image, "a.jpg", policy, limits).problems == ()


def turned_photo(orientation, stored, box):
    """A JPEG of 64 x 48 stored pixels with a red box, and that box as a viewer shows it."""
    picture = Image.new("RGB", (64, 48), "white")
    picture.paste((255, 0, 0), tuple(stored))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save("photos/a.jpg", quality=95, exif=exif)
    return ingested_image("a.jpg", ("cat", box), size=(48, 64) if orientation > 4 else (64, 48))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_drawn_on_a_rotated_image_are_rotated_back_to_the_stored_pixels(here, orientation):
    stored = [8, 4, 40, 16]
    turned_photo(orientation, stored, stored)
    with Image.open("photos/a.jpg") as picture:
        red = np.asarray(ImageOps.exif_transpose(picture))[..., 1] < 128
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    shown = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    back = to_stored(as_boxes([shown]), orientation, width=64, height=48)
    np.testing.assert_allclose(back, [stored], atol=1)
    dataset, _ = run(turned_photo(orientation, stored, shown))
    if orientation > 4:
        assert problems_of(dataset) == [("exif_rotated", "fixed_image")]
        np.testing.assert_allclose(dataset.images[0].boxes, [stored], atol=1)
    else:
        assert problems_of(dataset) == ([] if orientation == 1 else [("exif_rotated", "kept")])


def test_an_image_that_was_ingested_by_its_stored_size_keeps_its_boxes(here):
    image = replace(turned_photo(6, [8, 4, 40, 16], [8, 4, 40, 16]), width=64, height=48)
    dataset, _ = run(image)
    assert problems_of(dataset) == [("exif_rotated", "kept")]
    assert dataset.images[0].boxes.tolist() == [[8, 4, 40, 16]]


def test_exchanged_sides_without_an_exif_tag_are_reported(here):
    dataset, _ = run(photo("a.jpg", CAT, annotated_size=(48, 64)))
    assert problems_of(dataset) == [("size_mismatch", "fixed_image")]
    assert "width and height are exchanged" in dataset.problems[0].detail


def test_fractions_are_scaled_to_pixels_but_a_box_of_one_pixel_is_not(here):
    dataset, _ = run(photo("a.jpg", CAT, ("cat", [0.25, 0.5, 0.5, 1.0]), ("cat", [0, 0, 1, 1])))
    assert problems_of(dataset) == [("normalised_box", "fixed_box"), ("tiny_box", "dropped_box")]
    assert dataset.images[0].boxes.tolist() == [CAT[1], [16, 24, 32, 48]]


def test_a_box_that_fills_the_image_or_is_too_small_for_the_model_is_reported_and_kept(here):
    tiny = ("cat", [10, 10, 13, 13])
    dataset, _ = run(photo("a.jpg", ("cat", [0, 0, 640, 480]), tiny, size=(640, 480)))
    assert problems_of(dataset) == [("box_covers_image", "kept"), ("box_below_resolution", "kept")]
    assert "1.5 x 2.0 px at the model's input of 320 x 320 px" in dataset.problems[1].detail
    larger, _ = run(*dataset.images, model=MODEL.model_copy(update={"side_px": 1024}))
    assert problems_of(larger) == [("box_covers_image", "kept")]
    assert len(dataset.images[0].classes) == 2


def test_boxes_written_as_sizes_stop_the_pipeline_unless_the_policy_keeps_them(here):
    sizes = [("cat", [30, 20, 10, 10]), ("cat", [40, 30, 9, 9]), ("cat", [2, 2, 30, 30])] * 2
    with pytest.raises(DataError, match=r"boxes_look_like_xywh 1(?s:.*)67% of 6 boxes end left of"):
        run(photo("a.jpg", *sizes))
    dataset, _ = run(photo("a.jpg", *sizes), policy={"boxes_look_like_xywh": "keep"})
    assert problems_of(dataset)[0] == ("boxes_look_like_xywh", "kept")


def test_a_few_inverted_boxes_are_not_read_as_sizes(here):
    boxes = [("cat", [i, 1, i + 9, 9]) for i in range(20)] + [("cat", [30, 40, 1, 2])]
    assert problems_of(run(photo("a.jpg", *boxes))[0]) == [("inverted_box", "fixed_box")]


def test_a_duplicate_is_dropped_and_the_same_box_of_another_class_is_kept(here):
    dataset, figures = run(photo("a.jpg", CAT, CAT, ("dog", CAT[1]), ("cat", [30, 40, 1, 2])))
    assert dataset.images[0].classes == ("cat", "dog")
    assert figures["problems"] == {"duplicate_box": 2}


def test_boxes_are_checked_against_the_real_size(here):
    dataset, _ = run(photo("a.jpg", ("cat", [1, 2, 90, 40]), annotated_size=(100, 48)))
    assert problems_of(dataset) == [("size_mismatch", "fixed_image"), ("box_partly_outside", "fixed_box")]
