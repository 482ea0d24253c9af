"""Stage validate: names of classes, and classes that are rare."""

import pytest

from tests.stages.validate.gated import CAT, photo, problems_of, run


def test_a_problem_of_a_class_names_an_image_that_shows_it(here):
    images = [photo("a.jpg", *[("cat", [1, 2, 30, 40 - i]) for i in range(3)]), photo("b.jpg", ("Cat", [5, 6, 20, 30]))]
    dataset, _ = run(*images)
    (variant,) = [p for p in dataset.problems if p.kind == "class_name_variant"]
    assert (variant.file, variant.image, variant.box) == ("photos", "photos/b.jpg", (5.0, 6.0, 20.0, 30.0))


def test_two_spellings_of_a_class_become_one(here):
    mask = [("Mask", [i, 1, i + 9, 9]) for i in range(3)]
    dataset, figures = run(photo("a.jpg", *mask, ("mask", [9, 9, 30, 30]), ("MASK_", [9, 20, 30, 40])))
    assert dataset.classes == ("Mask",)
    assert problems_of(dataset) == [("class_name_variant", "fixed_class")] * 2
    assert figures["classes"] == {"Mask": 5}
    kept, _ = run(photo("a.jpg", *mask, ("mask", [9, 9, 30, 30])), policy={"class_name_variant": "keep"})
    assert kept.classes == ("Mask", "mask")


def test_spellings_are_compared_whatever_their_unicode_form(here):
    dataset, _ = run(
        photo("a.jpg", ("caf\u00e9", CAT[1]), ("caf\u00e9", [9, 9, 30, 30]), ("CAFE\u0301", [9, 20, 30, 40]))
    )
    assert dataset.classes == ("caf\u00e9",)
    assert problems_of(dataset) == [("class_name_variant", "fixed_class")]


def test_names_of_separators_alone_are_not_spellings_of_each_other(here):
    boxes = [(name, [i, 1, i + 9, 9 + j]) for j, name in enumerate(("-", "_")) for i in range(3)]
    dataset, _ = run(photo("a.jpg", *boxes))
    assert dataset.classes == ("-", "_")
    assert problems_of(dataset) == []


def test_a_rare_class_with_nearly_the_name_of_a_frequent_one_is_reported(here):
    often = [("helmet", [i, 1, i + 9, 9]) for i in range(10)]
    dataset, _ = run(photo("a.jpg", *often, ("helmt", [9, 9, 30, 30]), ("glove", [9, 9, 30, 30])))
    assert problems_of(dataset) == [("similar_class_names", "kept")]
    assert "'helmt' has 1 boxes, 'helmet' 10" in dataset.problems[0].detail


@pytest.mark.parametrize(
    ("rare", "often", "similar"),
    [("kye", "key", True), ("WBC", "RBC", False), ("helmt", "helmet", True), ("Face_Sheild", "face shield", True),
     ("mug", "jug", False), ("glove", "goggle", False)],
)  # fmt: skip
def test_misspellings_are_distinguished_from_other_words(here, rare, often, similar):
    boxes = [(often, [i, 1, i + 9, 9]) for i in range(20)]
    dataset, _ = run(photo("a.jpg", *boxes, (rare, [9, 9, 30, 30])))
    assert (("similar_class_names", "kept") in problems_of(dataset)) is similar


def test_a_rare_class_is_dropped_with_its_boxes(here):
    dataset, figures = run(photo("a.jpg", CAT, ("cat", [3, 3, 9, 9]), ("dog", CAT[1])), min_boxes_per_class=2)
    assert dataset.classes == ("cat",)
    assert problems_of(dataset) == [("rare_class", "dropped_box")]
    assert figures["classes"] == {"cat": 2}


def test_a_class_without_any_box_is_dropped(here):
    dataset, _ = run(photo("a.jpg", CAT), classes=("cat", "dog"))
    assert dataset.classes == ("cat",)
    assert problems_of(dataset) == [("rare_class", "dropped_class")]
