"""What the report page shows of the data: the gate's examples and policy, classes, and sizes beside the anchors."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.artifacts.gate import GateCounts
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import Dataset, Problem
from tasks.images.drawing import Thumbnail
from tasks.model.anchors import Anchors
from tasks.model.geometry import ModelGeometry
from tasks.model.resizer import Resizer
from tasks.report_page.balance import FitRow, anchor_fit, balance
from tasks.report_page.examples import examples
from tasks.report_page.gate import count_outcomes, gate_section
from tasks.report_page.size_plot import size_svg
from tests.stages.report.report_run import ELSEWHERE, HOSTILE, SQUARE, Run, annotated

GEOMETRY = ModelGeometry(
    Resizer(width=320, height=240), Anchors((np.array([[80.0, 80.0]]), np.array([[160.0, 160.0]]))), 0.5, True, 8
)


def one(*problems, passed=(), size=(100, 50)):
    """The only example of the only kind, of an image `a.jpg` of that size."""
    taken = Thumbnail(b"jpeg", *size)
    ((example,),) = examples(problems, {"a.jpg"}, {"a.jpg": as_boxes(passed)}, lambda _: taken).values()
    return example


def problem(file="a.jpg", box=None, action="dropped_box", **values):
    return Problem("tiny_box", file, "object 1 (cat)", action, box=box, **values)


def test_a_box_is_drawn_as_it_was_annotated_also_one_that_is_upside_down():
    example = one(problem(box=(40.0, 30.0, 10.0, 5.0), action="fixed_box"))
    assert [box[:5] for box in example.boxes] == [(10.0, 5.0, 30.0, 25.0, "fixed")]
    assert (example.view, example.beyond) == ((0.0, 0.0, 100.0, 50.0), False)


def test_the_view_grows_with_a_box_outside_the_image_up_to_a_limit():
    near = one(problem(box=(90.0, 10.0, 120.0, 40.0)))
    assert near.view == pytest.approx((-2.4, -2.4, 124.8, 54.8))
    assert not near.beyond
    far = one(problem(box=(5000.0, 10.0, 6000.0, 40.0)))
    assert far.view == pytest.approx((-3.0, -3.0, 156.0, 56.0))
    assert far.beyond
    assert far.boxes[0].ring > 0


def test_a_tiny_box_gets_a_ring():
    assert one(problem(box=(10.0, 10.0, 11.0, 11.0))).boxes[0].ring == 5.0
    assert one(problem(box=(10.0, 10.0, 50.0, 11.0))).boxes[0].ring == 0.0


def test_an_example_without_a_faulty_box_shows_the_boxes_that_passed():
    assert [box.outcome for box in one(problem(), passed=[SQUARE, ELSEWHERE]).boxes] == ["passed", "passed"]
    assert one(problem()).boxes == ()


def test_problems_of_one_image_share_a_picture_and_three_of_them_are_listed():
    example = one(*[problem(box=(float(i), 0.0, 50.0, 40.0)) for i in range(5)])
    assert (len(example.boxes), len(example.lines), example.more) == (5, 3, 2)


def test_examples_with_an_image_come_first_and_there_are_six_at_most():
    problems = [problem(f"{i}.xml") for i in range(9)] + [problem(f"{i}.jpg") for i in range(4)]
    (found,) = examples(problems, {f"{i}.jpg" for i in range(4)}, {}, lambda _: Thumbnail(b"x", 9, 9)).values()
    assert [example.file for example in found] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "0.xml", "1.xml"]
    assert [example.why for example in found] == ["", "", "", "", *["no image belongs to it"] * 2]


def test_problems_of_an_annotation_file_without_an_image_share_a_tile():
    (found,) = examples([problem("a.xml")] * 5 + [problem("b.xml")], set(), {}, lambda _: "").values()
    assert [(example.file, len(example.lines), example.more) for example in found] == [("a.xml", 3, 2), ("b.xml", 1, 0)]


def test_no_file_is_opened_that_ingest_did_not_name():
    opened: list[Path] = []

    def inline(path: Path) -> str:
        opened.append(path)
        return "no"

    examples([problem("/etc/secret.png")], {"a.jpg"}, {}, inline)
    assert opened == []


def test_every_kind_gets_a_picture_before_any_kind_gets_its_last():
    kinds = [f"kind {i}" for i in range(4)]
    problems = [Problem(kind, f"{i}.jpg", "", "kept") for kind in kinds for i in range(6)]
    shown = examples(problems, {f"{i}.jpg" for i in range(6)}, {}, lambda _: Thumbnail(bytes(700_000), 9, 9))
    assert [len([e for e in shown[kind] if e.picture]) for kind in kinds] == [2, 1, 1, 1]
    assert {e.why for found in shown.values() for e in found} == {"", "left out, to keep this page small"}


def test_the_page_shows_pictures_of_what_was_dropped_and_says_why_there_is_none(tmp_path):
    root = tmp_path / "images"
    run = Run(tmp_path, problems=[
        Problem("tiny_box", f"{root}/0.jpg", "object 1 (cat)", "dropped_box", box=(5.0, 5.0, 150.0, 6.0)),
        Problem("unreadable_image", f"{root}/1.jpg", "damaged", "dropped_image"),
        Problem("unreadable_image", f"{root}/2.jpg", "too large", "dropped_image"),
        Problem("missing_image", "x.xml", "not there", "dropped_image"),
    ])  # fmt: skip
    write_coco(Dataset(root, ("cat",), (annotated("0.jpg"), annotated("1.jpg"), annotated("2.jpg"))),
               tmp_path / "ingested.json")  # fmt: skip
    (root / "1.jpg").write_bytes(b"\xff\xd8 broken")
    Image.new("1", (2000, 1000)).save(root / "2.jpg")
    page = run.page()
    assert len(page.all("image")) == 1
    assert {"x": "5.0", "y": "5.0", "width": "145.0", "height": "1.0"} in page.all("rect")
    assert "2000 x 1000 pixels; validate.max_image_megapixels allows 1" in page.text
    assert "not an image in a known format" in page.text
    assert "no image belongs to it" in page.text
    assert "Draw the box larger" in page.text


def test_a_page_with_many_faulty_images_stays_below_ten_megabytes(tmp_path):
    run = Run(tmp_path, tests=60)
    noise = np.random.default_rng(1)
    for i in range(63):
        Image.fromarray(noise.integers(0, 255, (480, 640, 3), dtype=np.uint8)).save(tmp_path / "images" / f"{i}.jpg")
    problems = [
        Problem(f"kind {k}", f"{tmp_path}/images/{i % 63}.jpg", "x" * 100, "kept")
        for k in range(39)
        for i in range(600)
    ]
    dataset = Dataset(tmp_path / "images", ("cat", "dog"), tuple(annotated(f"{i}.jpg") for i in range(63)))
    write_coco(Dataset(dataset.root, dataset.classes, dataset.images, tuple(problems)), tmp_path / "validated.json")
    figures = run.report(gallery_images=60, thumbnail_px=128)
    assert 1 < figures["megabytes"] < 10


def test_a_kind_has_a_row_with_its_outcomes_and_counts_the_examples_not_shown(tmp_path):
    problems = [Problem("no_objects", f"{i}.xml", "nothing", "dropped_image") for i in range(12)]
    run = Run(tmp_path, problems=[*problems, Problem("inverted_box", "x.jpg", "swapped", "fixed_box")])
    page = run.page(policy={"no_objects": "drop"})
    rows = [" ".join(row.split()) for row in re.sub(r"<[^>]+>", " ", page.html).split("\n")]
    assert "no objects 12 validate.policy 12 images" in rows
    assert "inverted box 1 default 1 box" in rows
    assert "and 6 more: see problems in the validated annotations" in page.text


@pytest.mark.parametrize(
    ("on_problem", "policy", "kind", "expected"),
    [
        ("fix", {}, "inverted_box", "default"),
        ("drop", {}, "inverted_box", "on_problem: drop"),
        ("fix", {"inverted_box": "drop"}, "inverted_box", "validate.policy"),
        ("fix", {}, "missing_image", "no choice"),
        ("fail", {}, "no_objects", "on_problem: fail"),
        ("fix", {}, "from elsewhere", ""),
    ],
)
def test_a_kind_of_problem_is_shown_with_what_sets_its_policy(on_problem, policy, kind, expected):
    counts = GateCounts(problems={kind: 1})
    (row,) = gate_section(counts, [], on_problem, policy, {}).kinds
    assert row.set_by == expected


def test_outcomes_are_counted_in_words():
    actions = ["dropped_box", "dropped_box", "dropped_image", "fixed_class", "kept", "kept", "left_out", "<b>"]
    assert count_outcomes([Problem("k", "f", "d", action) for action in actions]) == {
        "dropped": "2 boxes, 1 image",
        "fixed": "1 class",
        "kept": "1 left out, 2",
    }


def test_a_class_has_its_boxes_before_and_after_the_gate_and_by_split(tmp_path):
    before = Dataset(tmp_path, ("Cat", "cat"), (annotated("a", [SQUARE, ELSEWHERE], ["cat", "Cat"]), annotated("b")))
    of_split = {
        "train": Dataset(tmp_path, ("cat",), (annotated("a", [SQUARE, ELSEWHERE], ["cat", "cat"]),)),
        "test": Dataset(tmp_path, ("cat",), ()),
    }
    cat, other = balance(before, of_split["train"], of_split, {"cat": "#e69f00"}).rows
    assert (cat.name, cat.read, cat.passed) == ("cat", (2, 2), (1, 2))
    assert cat.bars == [("train", 2, 1.0), ("test", 0, 0.0)]
    assert (other.name, other.read, other.passed, other.dropped_share) == ("Cat", (1, 1), (0, 0), 0.5)


def test_a_sentence_points_out_uneven_classes():
    names = ["cat"] * 11 + ["dog"]
    dataset = Dataset(Path(), ("cat", "dog"), (annotated("a", [SQUARE] * 12, names),))
    assert "cat has 11 times as many boxes as dog" in balance(dataset, dataset, {"train": dataset}, {}).uneven
    even = Dataset(Path(), ("cat", "dog"), (annotated("a", [SQUARE] * 2, ["cat", "dog"]),))
    assert balance(even, even, {"train": even}, {}).uneven == ""
    empty = Dataset(Path(), (), ())
    assert balance(empty, empty, {"train": empty}, {}).rows == []


def test_boxes_in_no_split_count_as_passed():
    dataset = Dataset(Path(), ("cat",), (annotated("a"), annotated("b")))
    (row,) = balance(dataset, dataset, {"train": replace(dataset, images=dataset.images[:1])}, {}).rows
    assert (row.read, row.passed, row.dropped_share) == ((2, 2), (2, 2), 0)
    assert row.bars == [("train", 1, 0.5)]


def test_boxes_are_measured_at_the_models_input_and_counted_where_no_anchor_fits():
    # 160 x 120 pixels become 320 x 240: 40 px are 80, the anchor itself; 10 px are 20, with an IoU of 1/16.
    image = annotated("a", [SQUARE, [0, 0, 10, 10], [0, 0, 10, 10]], ["cat", "dog", "dog"], crowd={2})
    fit = anchor_fit(Dataset(Path(), ("cat", "dog"), (image,)), GEOMETRY)
    assert (fit.boxes, fit.beyond, fit.anchors, fit.levels) == (2, 1, 2, 2)
    dog, cat = fit.rows
    assert dog == FitRow("dog", boxes=1, smallest=20.0, median=20.0, largest=20.0, beyond=1, share=1.0)
    assert (cat.median, cat.beyond) == (80.0, 0)


def test_data_without_boxes_has_no_sizes(tmp_path):
    fit = anchor_fit(Dataset(Path(), ("cat",), (annotated("a", (), ()),)), GEOMETRY)
    assert (fit.boxes, fit.rows, fit.svg) == (0, [], None)


def test_the_drawing_of_sizes_stays_small_and_is_the_same_again():
    sizes = np.random.default_rng(1).uniform(0.01, 320, (50_000, 2))
    reached = sizes[:, 0] > 20
    svg = size_svg(sizes, reached, GEOMETRY, "sizes")
    assert svg == size_svg(sizes, reached, GEOMETRY, "sizes")
    assert len(svg) < 300_000
    assert "#0072b2" in svg
    assert "#d55e00" in svg


def test_a_model_with_unknown_anchors_gives_a_sentence_instead_of_a_drawing(tmp_path):
    run = Run(tmp_path)
    (tmp_path / "pipeline.config").write_text("model { ssd { image_resizer { fixed_shape_resizer { } } } }")
    text = run.page().text
    assert "Not shown: its matcher is no argmax_matcher." in text
    (tmp_path / "pipeline.config").unlink()
    assert "Not shown: no such file" in run.page().text


def test_hostile_names_in_examples_are_shown_and_do_nothing(tmp_path):
    root = tmp_path / "images"
    problem = Problem(HOSTILE, f"{root}/0.jpg", HOSTILE, HOSTILE, box=(1.0, 1.0, 9.0, 9.0))
    page = Run(tmp_path, classes=(HOSTILE, "dog"), problems=[problem]).page()
    assert len(page.all("image")) == 1
    assert page.all("script") == [{}]
    assert not {name for _, attributes in page.elements for name in attributes if name.startswith("on")}
    assert "\u202e" not in page.html
