"""Stage validate: what each fault of an image or a box leads to under each policy, and what stops the pipeline."""

import ast
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tasks.annotation.box_checks import BoxLimits, check_boxes
from tasks.annotation.boxes import as_boxes
from tasks.annotation.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.annotation.exif_frame import to_stored
from tasks.annotation.policy import Policy
from tasks.annotation.problem_kinds import KINDS
from tasks.annotation.problem_table import problem_table
from tasks.errors import DataError, ParamsError
from tasks.files import sha256_of
from tasks.formats.coco import read_coco, write_coco
from tasks.ingest import ingest
from tasks.params import IngestParams, ModelParams, ValidateParams
from tasks.validate import validate

# Hypothesis reads the project's sources before its first example, which takes seconds on a busy machine.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ROOT = Path(__file__).resolve().parents[1]
DATASETS = ROOT.parent / "shared" / "datasets"
needs_datasets = pytest.mark.skipif(not DATASETS.is_dir(), reason="the real data sets are not beside the repository")

PARAMS = ValidateParams(
    on_problem="fix",
    policy={},
    min_box_side_px=2,
    min_boxes_per_class=1,
    max_dropped_fraction=1.0,
    max_image_megapixels=1,
)
MODEL = ModelParams(name="ssd_mobilenet_v2_fpnlite_320x320")
CAT = ("cat", [1, 2, 30, 40])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    return tmp_path


def photo(name="a.jpg", *objects, size=(64, 48), said=None, mode="RGB", **saving):
    """An image file and what was ingested about it."""
    Image.new(mode, size, 0).save(f"photos/{name}", **saving)
    return ingested_image(name, *objects, size=said or size)


def ingested_image(name, *objects, size=(64, 48)):
    path = Path(f"photos/{name}")
    n = len(objects)
    return AnnotatedImage(
        name, *size, as_boxes([box for _, box in objects]), tuple(kind for kind, _ in objects), flags(n), flags(n),
        source=f"{path.stem}.xml", sha256=sha256_of(path),
    )  # fmt: skip


def run(*images, problems=(), classes=None, **changes):
    classes = classes or tuple(sorted({name for image in images for name in image.classes}))
    write_coco(Dataset(Path("photos"), classes, tuple(images), tuple(problems)), Path("ingested.json"))
    params = PARAMS.model_copy(update=changes)
    validate(
        params, MODEL, ingested=Path("ingested.json"), validated=Path("valid.json"), metrics_data=Path("metrics.json")
    )
    return read_coco(Path("valid.json")), json.loads(Path("metrics.json").read_text())


def test_a_problem_holds_the_box_as_annotated_also_where_it_was_dropped_or_mended(here):
    image = photo(
        "a.jpg", CAT, ("cat", [9, 9, 40, 40]), ("cat", [70, 5, 90, 20]), ("cat", [30, 40, 1, 2]), ("dog", [3, 3, 9, 9])
    )
    dataset, _ = run(image, min_boxes_per_class=2)
    assert {(p.kind, p.file, p.image, p.box) for p in dataset.problems} == {
        ("box_outside_image", "photos/a.jpg", "", (70.0, 5.0, 90.0, 20.0)),
        ("duplicate_box", "photos/a.jpg", "", (30.0, 40.0, 1.0, 2.0)),
        ("rare_class", "photos/a.jpg", "", (3.0, 3.0, 9.0, 9.0)),
    }


def test_a_problem_of_a_class_points_at_an_image_that_shows_it(here):
    images = [photo("a.jpg", *[("cat", [1, 2, 30, 40 - i]) for i in range(3)]), photo("b.jpg", ("Cat", [5, 6, 20, 30]))]
    dataset, _ = run(*images)
    (variant,) = [p for p in dataset.problems if p.kind == "class_name_variant"]
    assert (variant.file, variant.image, variant.box) == ("photos", "photos/b.jpg", (5.0, 6.0, 20.0, 30.0))


def problems_of(dataset):
    return [(problem.kind, problem.action) for problem in dataset.problems]


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
def test_fix_mends_a_faulty_box_or_drops_it(here, box, kind, fixed):
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


@pytest.mark.parametrize("box", [[0, 0, 60, 48], [0, 0, 2, 2], [62, 46, 64, 48]], ids=["high", "smallest", "corner"])
def test_boxes_that_touch_the_edge_or_are_just_large_enough_pass(here, box):
    assert run(photo("a.jpg", ("cat", box)))[0].problems == ()


@patient
@given(
    rows=st.lists(st.tuples(*[st.integers(-30, 90).map(lambda half: half / 2)] * 4), max_size=6),
    on_problem=st.sampled_from(["fix", "drop"]),
)
def test_every_box_stays_or_has_one_problem_and_what_stays_is_sound(rows, on_problem):
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
def test_boxes_drawn_on_a_turned_image_come_back_to_the_stored_pixels(here, orientation):
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


def test_exchanged_sides_without_a_tag_are_told(here):
    dataset, _ = run(photo("a.jpg", CAT, said=(48, 64)))
    assert problems_of(dataset) == [("size_mismatch", "fixed_image")]
    assert "width and height are exchanged" in dataset.problems[0].detail


def test_an_animated_image_is_its_first_frame(here):
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("white", "black", "red")]
    frames[0].save("photos/a.gif", save_all=True, append_images=frames[1:])
    dataset, _ = run(ingested_image("a.gif", CAT))
    assert ("animated_image", "kept") in problems_of(dataset)
    assert "first of its 3 frames" in next(p.detail for p in dataset.problems if p.kind == "animated_image")


def test_fractions_are_mended_and_a_box_of_one_pixel_is_not_taken_for_one(here):
    dataset, _ = run(photo("a.jpg", CAT, ("cat", [0.25, 0.5, 0.5, 1.0]), ("cat", [0, 0, 1, 1])))
    assert problems_of(dataset) == [("normalised_box", "fixed_box"), ("tiny_box", "dropped_box")]
    assert dataset.images[0].boxes.tolist() == [CAT[1], [16, 24, 32, 48]]


def test_a_box_that_fills_the_image_or_that_the_model_cannot_see_is_told_and_kept(here):
    tiny = ("cat", [10, 10, 13, 13])
    dataset, _ = run(photo("a.jpg", ("cat", [0, 0, 640, 480]), tiny, size=(640, 480)))
    assert problems_of(dataset) == [("box_covers_image", "kept"), ("box_below_resolution", "kept")]
    assert "1.5 x 2.0 px at the model's input of 320 px" in dataset.problems[1].detail
    assert len(dataset.images[0].classes) == 2


def test_a_policy_for_one_kind_goes_before_that_for_all(here):
    images = photo("a.jpg", CAT, ("cat", [-5, 2, 30, 40]), ("cat", [5, 5, 5, 5])), photo("b.jpg")
    dataset, _ = run(*images, policy={"box_partly_outside": "drop", "no_objects": "drop"})
    assert problems_of(dataset) == [
        ("no_objects", "dropped_image"),
        ("box_partly_outside", "dropped_box"),
        ("tiny_box", "dropped_box"),
    ]
    with pytest.raises(DataError, match=r"1 problems, and validate\.policy is to fail for them: tiny_box 1"):
        run(*images, policy={"tiny_box": "fail"})
    assert run(*images, on_problem="fail", policy={"tiny_box": "drop", "box_partly_outside": "fix"})[0].images


def test_an_image_that_a_policy_drops_takes_its_boxes_along(here):
    dataset, figures = run(photo("a.jpg", CAT), photo("b.png", CAT, CAT, mode="L"), policy={"not_rgb": "drop"})
    assert problems_of(dataset) == [("not_rgb", "dropped_image")] + [("box_of_dropped_image", "dropped_box")] * 2
    assert (figures["dropped_images"], figures["dropped_boxes"]) == (1, 2)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"tiny_bx": "drop"}, r"validate\.policy\.tiny_bx: no such kind of problem; did you mean tiny_box"),
        ({"box_outside_image": "keep"}, r"validate\.policy\.box_outside_image: keep is not possible here"),
        ({"missing_image": "keep"}, "choose from drop"),
    ],
)
def test_a_policy_that_means_nothing_is_refused_before_any_image_is_opened(here, policy, said):
    with pytest.raises(ParamsError, match=said):
        run(photo("a.jpg", CAT), policy=policy)


def test_two_spellings_of_a_class_become_one(here):
    mask = [("Mask", [i, 1, i + 9, 9]) for i in range(3)]
    dataset, figures = run(photo("a.jpg", *mask, ("mask", [9, 9, 30, 30]), ("MASK_", [9, 20, 30, 40])))
    assert dataset.classes == ("Mask",)
    assert problems_of(dataset) == [("class_name_variant", "fixed_class")] * 2
    assert figures["classes"] == {"Mask": 5}
    kept, _ = run(photo("a.jpg", *mask, ("mask", [9, 9, 30, 30])), policy={"class_name_variant": "keep"})
    assert kept.classes == ("Mask", "mask")


def test_a_rare_class_with_nearly_the_name_of_a_frequent_one_is_told(here):
    often = [("helmet", [i, 1, i + 9, 9]) for i in range(10)]
    dataset, _ = run(photo("a.jpg", *often, ("helmt", [9, 9, 30, 30]), ("glove", [9, 9, 30, 30])))
    assert problems_of(dataset) == [("similar_class_names", "kept")]
    assert "'helmt' has 1 boxes, 'helmet' 10" in dataset.problems[0].detail


@pytest.mark.parametrize(
    ("rare", "often", "similar"),
    [("kye", "key", True), ("WBC", "RBC", False), ("helmt", "helmet", True), ("Face_Sheild", "face shield", True),
     ("mug", "jug", False), ("glove", "goggle", False)],
)  # fmt: skip
def test_slips_are_told_from_other_words(here, rare, often, similar):
    boxes = [(often, [i, 1, i + 9, 9]) for i in range(20)]
    dataset, _ = run(photo("a.jpg", *boxes, (rare, [9, 9, 30, 30])))
    assert (("similar_class_names", "kept") in problems_of(dataset)) is similar


def test_copies_with_other_boxes_are_told(here):
    photo("a.jpg")
    for name in ("b.jpg", "c.jpg"):
        shutil.copy("photos/a.jpg", f"photos/{name}")
    images = [ingested_image("a.jpg", CAT), ingested_image("b.jpg", CAT), ingested_image("c.jpg", CAT, ("dog", CAT[1]))]
    dataset, _ = run(*images)
    assert [(p.kind, p.file) for p in dataset.problems] == [("copies_annotated_differently", "photos/c.jpg")]


def test_boxes_written_as_sizes_stop_the_pipeline_unless_it_is_told_to_go_on(here):
    sizes = [("cat", [30, 20, 10, 10]), ("cat", [40, 30, 9, 9]), ("cat", [2, 2, 30, 30])] * 2
    with pytest.raises(DataError, match=r"boxes_look_like_xywh 1(?s:.*)67% of 6 boxes end left of"):
        run(photo("a.jpg", *sizes))
    dataset, _ = run(photo("a.jpg", *sizes), policy={"boxes_look_like_xywh": "keep"})
    assert problems_of(dataset)[0] == ("boxes_look_like_xywh", "kept")


def test_a_few_inverted_boxes_are_no_sizes(here):
    boxes = [("cat", [i, 1, i + 9, 9]) for i in range(20)] + [("cat", [30, 40, 1, 2])]
    assert problems_of(run(photo("a.jpg", *boxes))[0]) == [("inverted_box", "fixed_box")]


def test_a_duplicate_is_dropped_and_the_same_box_of_another_class_stays(here):
    dataset, figures = run(photo("a.jpg", CAT, CAT, ("dog", CAT[1]), ("cat", [30, 40, 1, 2])))
    assert dataset.images[0].classes == ("cat", "dog")
    assert figures["problems"] == {"duplicate_box": 2}


@pytest.mark.parametrize("policy", ["fix", "drop"])
@pytest.mark.parametrize(("said", "kind"), [((100, 48), "size_mismatch"), ((0, 0), "size_missing")])
def test_the_real_size_is_taken_and_boxes_stay(here, policy, said, kind):
    dataset, figures = run(photo("a.jpg", CAT, said=said), on_problem=policy)
    assert problems_of(dataset) == [(kind, "fixed_image")]
    assert (dataset.images[0].width, dataset.images[0].height) == (64, 48)
    assert dataset.images[0].boxes.tolist() == [CAT[1]]
    assert figures["fixed_boxes"] == 0


def test_boxes_are_checked_against_the_real_size(here):
    dataset, _ = run(photo("a.jpg", ("cat", [1, 2, 90, 40]), said=(100, 48)))
    assert problems_of(dataset) == [("size_mismatch", "fixed_image"), ("box_partly_outside", "fixed_box")]


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6
    return {"exif": exif}


@pytest.mark.parametrize(
    ("name", "saving", "kinds"),
    [
        ("a.png", {"format": "JPEG"}, ["wrong_extension"]),
        ("a.png", {"mode": "RGBA"}, ["not_rgb"]),
        ("a.gif", {"mode": "P"}, ["not_rgb"]),
        ("a.jpg", rotated(), ["exif_rotated"]),
        ("a.jpeg", {}, []),
    ],
    ids=["JPEG called PNG", "RGBA", "palette", "EXIF", "nothing wrong"],
)
@pytest.mark.parametrize("policy", ["fix", "drop", "fail"])
def test_peculiar_images_are_kept_under_every_policy(here, policy, name, saving, kinds):
    dataset, _ = run(photo(name, CAT, **saving), on_problem=policy)
    assert problems_of(dataset) == [(kind, "kept") for kind in kinds]
    assert dataset.images[0].boxes.tolist() == [CAT[1]]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "0 bytes"), (b"x", "known format"), (None, "damaged")],
    ids=["empty", "text", "truncated"],
)
def test_an_image_that_does_not_decode_is_dropped_with_its_boxes(here, content, said):
    good = photo("a.jpg", CAT)
    photo("b.jpg", size=(640, 480))
    path = Path("photos/b.jpg")
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    dataset, figures = run(good, ingested_image("b.jpg", CAT, CAT))
    assert [image.file_name for image in dataset.images] == ["a.jpg"]
    assert figures["problems"] == {"unreadable_image": 1, "box_of_dropped_image": 2}
    assert (figures["dropped_images"], figures["dropped_boxes"]) == (1, 2)
    assert said in dataset.problems[0].detail
    assert dataset.problems[0].file == "photos/b.jpg"


def test_an_image_over_the_megapixel_limit_is_dropped(here):
    dataset, _ = run(photo("a.jpg", CAT), photo("b.png", CAT, size=(1001, 1000)))
    assert problems_of(dataset)[0] == ("unreadable_image", "dropped_image")
    assert "max_image_megapixels" in dataset.problems[0].detail


def test_a_changed_image_stops_the_pipeline(here):
    image = photo("a.jpg", CAT)
    photo("a.jpg", size=(10, 10))
    with pytest.raises(DataError, match=r"photos/a\.jpg: run `dvc repro`"):
        run(image)


def test_a_vanished_image_stops_the_pipeline(here):
    image = photo("a.jpg", CAT)
    Path("photos/a.jpg").unlink()
    with pytest.raises(DataError, match="changed or went away"):
        run(image)


def test_a_rare_class_leaves_with_its_boxes(here):
    dataset, figures = run(photo("a.jpg", CAT, ("cat", [3, 3, 9, 9]), ("dog", CAT[1])), min_boxes_per_class=2)
    assert dataset.classes == ("cat",)
    assert problems_of(dataset) == [("rare_class", "dropped_box")]
    assert figures["classes"] == {"cat": 2}


def test_a_class_without_any_box_leaves(here):
    dataset, _ = run(photo("a.jpg", CAT), classes=("cat", "dog"))
    assert dataset.classes == ("cat",)
    assert problems_of(dataset) == [("rare_class", "dropped_class")]


def test_an_image_that_lost_its_objects_leaves_and_one_that_never_had_any_stays(here):
    dataset, figures = run(
        photo("a.jpg", CAT), photo("b.jpg", ("cat", [5, 5, 5, 5]), size=(64, 50)), photo("c.jpg", size=(64, 52))
    )
    assert [image.file_name for image in dataset.images] == ["a.jpg", "c.jpg"]
    assert problems_of(dataset) == [
        ("no_objects", "kept"),
        ("tiny_box", "dropped_box"),
        ("image_left_empty", "dropped_image"),
    ]
    assert (figures["dropped_images"], figures["dropped_boxes"]) == (1, 1)


def test_problems_of_ingest_are_carried_over_and_counted(here):
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
def test_fail_stops_for_what_ingest_found(here, kind):
    with pytest.raises(DataError, match=f"{kind} 1"):
        run(photo("a.jpg", CAT), problems=[Problem(kind, "x.xml", "gone", "dropped_image")], on_problem="fail")


def test_fail_lets_data_pass_that_is_merely_without_sizes_or_has_more_images(here):
    other = Problem("image_without_annotation", "z.jpg", "none", "left_out")
    dataset, _ = run(photo("a.jpg", CAT, said=(0, 0)), photo("b.jpg"), problems=[other], on_problem="fail")
    assert [image.width for image in dataset.images] == [64, 64]


@pytest.mark.parametrize(
    ("objects", "problems", "said"),
    [
        ([CAT, ("cat", [5, 5, 5, 5])], [], r"1 of 2 boxes were dropped: tiny_box 1; .* no more than 0\.4"),
        (
            [CAT],
            [Problem("missing_image", "x.xml", "", "dropped_image")],
            "1 of 2 images were dropped: missing_image 1",
        ),
    ],
    ids=["boxes", "images"],
)
def test_more_losses_than_allowed_stop_the_pipeline_and_write_nothing(here, objects, problems, said):
    with pytest.raises(DataError, match=said):
        run(photo("a.jpg", *objects), problems=problems, max_dropped_fraction=0.4)
    assert not Path("valid.json").exists()
    assert not Path("metrics.json").exists()


def test_losses_of_exactly_the_limit_pass(here):
    assert len(run(photo("a.jpg", CAT, ("cat", [5, 5, 5, 5])), max_dropped_fraction=0.5)[0].images) == 1


def test_images_nobody_annotated_are_no_losses(here):
    others = [Problem("image_without_annotation", f"{i}.jpg", "none", "left_out") for i in range(9)]
    assert run(photo("a.jpg", CAT), problems=others, max_dropped_fraction=0.0)[1]["dropped_images"] == 0


def test_nothing_left_stops_the_pipeline_whatever_the_limit(here):
    with pytest.raises(DataError, match="at least one must stay"):
        run(photo("a.jpg", ("cat", [5, 5, 5, 5])))


def test_the_table_on_the_terminal_counts_each_kind(here, capsys):
    run(photo("a.jpg", CAT, ("cat", [5, 5, 5, 5]), ("cat", [6, 6, 6, 6])))
    assert re.search(r"^tiny_box  +2  dropped box    drop \(default\)$", capsys.readouterr().out, re.MULTILINE)


def test_the_table_puts_what_was_lost_first_and_says_which_policy_it_was():
    problems = [
        Problem("exif_rotated", "a", "", "kept"),
        *[Problem("no_objects", "b", "", "dropped_image")] * 2,
        Problem("copies_annotated_differently", "c", "", "kept"),
        Problem("inverted_box", "d", "", "fixed_box"),
        Problem("image_without_annotation", "e", "", "left_out"),
        Problem("from elsewhere", "f", "", "kept"),
    ]
    assert problem_table(problems, Policy("fix", {"no_objects": "drop"})).splitlines() == [
        "problem                       count  what was done  policy",
        "no_objects                        2  dropped image  drop (validate.policy)",
        "inverted_box                      1  fixed box      fix (default)",
        "copies_annotated_differently      1  kept           keep (default)",
        "exif_rotated                      1  kept           fix (default)",
        "from elsewhere                    1  kept",
        "image_without_annotation          1  left out       keep (no choice)",
        "docs/data-gate.md says what each means; the report shows examples",
    ]
    assert problem_table([], Policy("fix", {})) == "no problems found"


def emitted_kinds():
    """The first argument, where it is a constant, of every call that makes a problem in the code."""
    nodes = (node for path in (ROOT / "tasks").rglob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="Problem" | "_Fault"), args=[ast.Constant(value=kind), *_]):
                yield kind


def test_every_kind_of_problem_is_documented_and_has_a_remedy():
    documented = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/data-gate.md").read_text(), re.MULTILINE)
    assert sorted(set(emitted_kinds())) == sorted(KINDS)
    assert sorted(documented) == sorted(KINDS)


@needs_datasets
@pytest.mark.parametrize(
    ("source", "images", "boxes", "problems"),
    [
        ("guns", 333, 428, {"box_partly_outside": 1, "copies_annotated_differently": 31}),
        ("bccd/test.csv", 364, 4886, {"size_missing": 364, "tiny_box": 2}),
        (
            "ppe_covid", 416, 1970,
            {
                "missing_image": 1, "box_of_dropped_image": 6, "not_rgb": 5, "size_missing": 1,
                "wrong_extension": 1, "copies_annotated_differently": 6, "box_below_resolution": 4,
            },
        ),
        ("ducky/train.csv", 5, 5, {"image_without_annotation": 49}),
    ],
    ids=["guns", "bccd", "ppe_covid", "ducky"],
)  # fmt: skip
def test_real_data_passes_with_its_known_faults(here, source, images, boxes, problems):
    folder = DATASETS / source.split("/")[0]
    params = IngestParams(source=DATASETS / source, images=folder, format="auto", columns={})
    ingest(params, ingested=Path("ingested.json"))
    strict = PARAMS.model_copy(update={"max_image_megapixels": 100, "max_dropped_fraction": 0.05})
    validate(
        strict, MODEL, ingested=Path("ingested.json"), validated=Path("valid.json"), metrics_data=Path("metrics.json")
    )
    figures = json.loads(Path("metrics.json").read_text())
    assert (figures["images"], figures["boxes"]) == (images, boxes)
    assert figures["problems"] == problems
