"""Whatever a file holds, its parser reads or refuses it."""

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

patient = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What the formats are made of; alone each is harmless.
PIECES = [
    b"", b"\0", b"\xff\xfe", b"\r", b"\n", b'"', b"'", b",", b";", b"{", b"}", b"[", b"]", b"<", b"/>", b"&a;", b"<!--",
    b"NaN", b"1e999", b"-1", b"99999999999999999999", b"null", b"true", b"\\ud800", b"\xed\xa0\x80", b"*a", b"&a ",
    b"\x7f\xff\xff\xff", b"\x80", b"../", b"\xe2\x80\xae", b"\x1b[2J", b"2020-99-99", b"? ", b": ", b"%", b"!!int ",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
JSON_SEEDS = {
    "coco": {
        "info": {"root": "x"},
        "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48, "source": "s", "sha256": "0"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0, "area": 12}],
        "categories": [{"id": 1, "name": "cat"}],
        "problems": [{"kind": "k", "file": "f", "detail": "d", "action": "kept"}],
    },
    "label_studio": [
        {
            "id": 1,
            "data": {"image": "/data/upload/1/a.jpg"},
            "annotations": [
                {
                    "was_cancelled": False,
                    "updated_at": "2024-01-01T00:00:00Z",
                    "result": [
                        {
                            "type": "rectanglelabels",
                            "original_width": 64,
                            "original_height": 48,
                            "image_rotation": 0,
                            "value": {
                                "x": 1,
                                "y": 2,
                                "width": 3,
                                "height": 4,
                                "rotation": 5,
                                "rectanglelabels": ["cat"],
                            },
                        }
                    ],
                }
            ],
        }
    ],
    "split_memory": {"rule": {"seed": 1}, "parts": {"train": ["a" * 64], "val": [], "test": ["b" * 64]}},
    "detections": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}],
}


@cache
def seeds(name: str) -> list[bytes]:
    return TARGETS[name].seeds()


@pytest.mark.parametrize("name", TARGETS)
@patient
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path, name, content):
    TARGETS[name].run(content, tmp_path)


@pytest.mark.parametrize("name", TARGETS)
@patient
@given(data=st.data())
def test_corrupted_files_are_read_or_refused(tmp_path, name, data):
    content = data.draw(st.sampled_from(seeds(name)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.sampled_from([0, 0, 1, 2, 8, 100_000])))
        content = content[:start] + data.draw(st.sampled_from(PIECES) | st.binary(max_size=4)) + content[end:]
    TARGETS[name].run(content, tmp_path)


@pytest.mark.parametrize("name", JSON_SEEDS)
@patient
@given(data=st.data())
def test_json_with_other_values_in_it_is_read_or_refused(tmp_path, name, data):
    content = JSON_SEEDS[name]
    places = list(_places(content))
    for _ in range(data.draw(st.integers(1, 3))):
        content = _with(content, data.draw(st.sampled_from(places)), data.draw(JSON))
    TARGETS[name].run(json.dumps(content).encode(), tmp_path)


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"archive", "params", "given_splits"}))
def test_each_parser_accepts_one_of_its_seeds(tmp_path: Path, name: str) -> None:
    assert [seed for seed in seeds(name) if TARGETS[name].run(seed, tmp_path)]


def test_a_bug_in_a_parser_is_noticed(tmp_path):
    with pytest.raises(FileNotFoundError):
        TARGETS["voc"].__class__("a", lambda folder: (folder / "b").read_bytes()).run(b"", tmp_path)


def _places(content, above=()):
    yield above
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in inner:
        yield from _places(value, (*above, key))


def _with(content, place, value):
    """`content` with `value` at `place`; where an earlier change took the place away, as it is."""
    if not place:
        return value
    key, *rest = place
    if isinstance(content, dict) and key in content:
        return {**content, key: _with(content[key], rest, value)}
    if isinstance(content, list) and isinstance(key, int) and key < len(content):
        return [*content[:key], _with(content[key], rest, value), *content[key + 1 :]]
    return content
