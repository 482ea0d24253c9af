import pytest

from tasks.model.class_names import class_key, known_classes

KNOWN = ("Person", "Coffee cup", "Car", "car")


@pytest.mark.parametrize("name", ["coffee_cup", "Coffee-Cup", "COFFEE CUP", "coffeecup", "coffee  cup"])
def test_spelling_does_not_matter(name: str) -> None:
    assert class_key(name) == class_key("Coffee cup")
    assert known_classes([name], KNOWN, {}) == {name: "Coffee cup"}


def test_an_exact_name_counts_before_another_spelling() -> None:
    assert known_classes(["car", "Car", "CAR"], KNOWN, {}) == {"car": "car", "Car": "Car", "CAR": "Car"}


def test_the_order_is_that_of_the_labels_and_unknown_ones_are_left_out() -> None:
    assert list(known_classes(["Helmet", "Car", "Person"], KNOWN, {})) == ["Car", "Person"]
    assert known_classes(["Person"], (), {}) == {}


def test_a_mapping_counts_before_equal_names() -> None:
    names = {"Coverall": "person", "Car": "Person", "Mask": "Nothing"}
    assert known_classes(["Coverall", "Car", "Mask"], KNOWN, names) == {"Coverall": "Person", "Car": "Person"}


def test_names_of_separators_alone_are_compared_as_they_are() -> None:
    assert known_classes(("-", "_", "a"), ("_", "A"), {}) == {"_": "_", "a": "A"}
