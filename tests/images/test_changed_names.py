"""What tools make of the names of files."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.images.changed_names import keys_of_file, path_in_address, readings, without_upload_prefix

NFD_E = unicodedata.normalize("NFD", "\u00e9")


def may_be(written, stem):
    return any(key in keys_of_file(stem) for reading in readings(written) for key in reading.keys)


@pytest.mark.parametrize(
    ("written", "stem"),
    [
        ("ab12cd34-IMG_1_1.jpg", "IMG 1 (1)"),
        ("images/ab12cd34-IMG_1_1.jpg", "IMG 1 (1)"),
        ("ab12cd34-IMG_1_1", "IMG 1 (1)"),
        ("ab12cd34-johns_cat.v2.jpg", "john's cat.v2"),
        ("ab12cd34-ab.jpg", "a+b"),
        ("ab12cd34-ab.jpg", "a&#b"),
        ("ab12cd34-_a_.jpg", "_a "),
        ("ab12cd34-caf\u00e9.jpg", "caf\u00e9"),
        ("ab12cd34-caf\u00e9.jpg", f"caf{NFD_E}"),
        ("ab12cd34-cafe.jpg", f"caf{NFD_E}"),
        ("ab12cd34-cafe.jpg", "caf\u00e9"),
        ("ab12cd34-\u732b_1.jpg", "\u732b 1"),
        ("01234567__ab12cd34-IMG_1_1.jpg", "IMG 1 (1)"),
        ("012345__IMG%201.jpg", "IMG 1"),
        ("IMG%201.jpg", "IMG 1"),
        ("IMG 1.jpg", "IMG%201"),
        ("IMG%25201.jpg", "IMG 1"),
        ("caf%C3%A9.jpg", "caf\u00e9"),
        ("caf%C3%A9.jpg", f"caf{NFD_E}"),
        ("caf%c3%a9.jpg", "CAF\u00c9"),
        ("a+b.jpg", "a b"),
        ("/data/local-files/?d=sets/a%20b.jpg", "a b"),
        ("/data/upload/3/ab12cd34-IMG_1_1.jpg", "IMG 1 (1)"),
        ("../../label-studio/media/upload/4/ab12cd34-a.jpg", "a"),
        ("/storage-data/uploaded/?filepath=upload/1/ab12cd34-a.jpg", "a"),
        ("?d=a", "a"),
        ("https://example.org/sets/a%20b.jpg?token=1", "a b"),
    ],
)
def test_a_changed_name_may_be_the_file(written, stem):
    assert may_be(written, stem)


@pytest.mark.parametrize(
    ("written", "stem"),
    [
        ("img1.jpg", "img(1)"),
        ("IMG_1.jpg", "IMG 1"),
        ("ab12cd3-a.jpg", "a"),
        ("xy12cd34-a.jpg", "a"),
        ("ab12cd34-a.jpg", "b"),
        ("ab12cd34-.jpg", ""),
        ("a%E9.jpg", "a%E8"),
        ("a%E9.jpg", "a\ufffd"),
        ("ab12cd34-r\u00e9sum\u00e9.jpg", "resume"),
        ("photo:1.jpg", "1"),
        ("ab12cd34-" + "a" * 5000 + ".jpg", "a" * 5000),
    ],
)
def test_an_unlike_name_is_not_the_file(written, stem):
    assert not may_be(written, stem)


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("ab12cd34-a.jpg", "a.jpg"),
        ("sets/ab12cd34-a-b.jpg", "sets/a-b.jpg"),
        ("ab12cd3-a.jpg", "ab12cd3-a.jpg"),
        ("ab12cd34-", "ab12cd34-"),
        ("xy12cd34-a.jpg", "xy12cd34-a.jpg"),
        ("ab12cd34-sets/a.jpg", "ab12cd34-sets/a.jpg"),
        ("01234567__a.jpg", "a.jpg"),
        ("01234567__ab12cd34-a.jpg", "a.jpg"),
    ],
)
def test_the_prefix_of_uploads_is_removed(name, without):
    assert without_upload_prefix(name) == without


def test_a_path_is_its_own_address():
    for path in ("a.jpg", "sets/a #1?.jpg", r"C:\photos\a.jpg", "/home/me/a.jpg", "100%.jpg", "upload/a.jpg"):
        assert path_in_address(path) == path


def test_a_long_text_of_addresses_is_not_searched():
    assert list(readings("/data/local-files/?" * 1_000_000)) == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1))
def test_any_name_may_be_its_own_file(name):
    if len(name) < 4000 and not name.startswith("?d=") and "://" not in name and "." not in name:
        assert may_be(name, name)
