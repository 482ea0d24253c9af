import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import FormatError, PipelineError
from tasks.ground.files import (
    read_json,
    read_small,
    remove_leftovers,
    replacing,
    write_json,
    write_json_lists,
    write_private,
)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "figures.json"
    with replacing(target) as beside:
        beside.write_text("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("name", ["a" * 255, "ü" * 127, "b" * 236], ids=["longest", "of two bytes each", "long"])
def test_a_name_that_the_file_system_takes_can_be_written_whatever_its_partial_file_is_called(
    tmp_path: Path, name: str
) -> None:
    target = tmp_path / name
    with replacing(target) as beside:
        beside.write_text("whole")
        kept = tmp_path / beside.name.replace(str(os.getpid()), "1")
        kept.write_text("of a killed process")
    assert target.read_text() == "whole"
    remove_leftovers(target)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_the_old_content_stays_when_writing_fails(tmp_path: Path, folder: bool) -> None:
    target = tmp_path / "out"
    inside = target / "a" if folder else target
    inside.parent.mkdir(exist_ok=True)
    inside.write_text("old")

    def fail() -> None:
        with replacing(target, own_folder=folder) as beside:
            if folder:
                beside.mkdir()
            (beside / "a" if folder else beside).write_text("new")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert inside.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_stages_own_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "stale").write_text("old")
    with replacing(target, own_folder=True) as beside:
        beside.mkdir()
        (beside / "fresh").write_text("new")
    assert [path.name for path in target.iterdir()] == ["fresh"]


@pytest.mark.parametrize("folder", [False, True], ids=["by a file", "by a folder"])
def test_anybodys_folder_is_not_replaced(tmp_path: Path, folder: bool) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("mine")
    with (
        pytest.raises(PipelineError, match="photos: a folder with files stands there, which is not removed"),
        replacing(tmp_path / "photos") as beside,
    ):
        beside.mkdir() if folder else beside.write_text("new")
    assert (tmp_path / "photos" / "a.jpg").read_text() == "mine"


def test_an_empty_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with replacing(tmp_path / "out") as beside:
        beside.write_text("new")
    assert (tmp_path / "out").read_text() == "new"


def test_equal_content_gives_equal_bytes_and_nan_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "c.json", {"a": float("nan")})
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize(
    ("head", "lists"),
    [
        ({}, {}),
        ({"a": 1}, {}),
        ({}, {"rows": []}),
        ({}, {"rows": [1, {"é": [None]}], "more": []}),
        ({"a": {"c": 2, "b": "x"}, "z": []}, {"rows": ["x"], "more": [{}, {}]}),
    ],
)
def test_an_object_written_list_by_list_reads_as_one_object(
    tmp_path: Path, head: dict[str, Any], lists: dict[str, list[Any]]
) -> None:
    write_json_lists(tmp_path / "a.json", head, {name: iter(rows) for name, rows in lists.items()})
    assert read_json(tmp_path / "a.json", "rows") == {**head, **lists}


def test_a_list_that_fails_midway_leaves_no_file(tmp_path: Path) -> None:
    def rows() -> Iterator[float]:
        yield 1.0
        yield float("nan")

    with pytest.raises(ValueError, match="Out of range"):
        write_json_lists(tmp_path / "a.json", {}, {"rows": rows()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_json, lambda path, row: write_json_lists(path, {}, {"rows": [row]})])
def test_characters_that_act_on_a_terminal_are_escaped_in_json_and_read_back(tmp_path, write):
    content = {"name": "cat\x1b[2J\x9b31m\u202etac\u2028 猫 \U0001f986"}
    write(tmp_path / "a.json", content)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) in (content, {"rows": [content]})
    assert "猫 \U0001f986" in text
    assert not {"\x1b", "\x9b", "\u202e", "\u2028"} & set(text)


@pytest.mark.parametrize("entry", ["{}", "[]", '{"a":1}'])
def test_millions_of_lists_and_objects_are_read_only_where_something_is_in_them(tmp_path, monkeypatch, entry):
    monkeypatch.setattr("tasks.ground.files._MANY_CONTAINERS", 100)
    path = tmp_path / "a.json"
    path.write_text(f"[{','.join([entry] * 99)}]")
    assert len(read_json(path, "rows")) == 99
    path.write_text(f"[{','.join([entry] * 100)}]")
    with pytest.raises(FormatError, match=r"a\.json: 101 lists and objects.*expected rows"):
        read_json(path, "rows")
    path.write_text(json.dumps([{"id": i, "image_id": i, "category_id": 1, "bbox": [1, 2, 3, 4]} for i in range(100)]))
    assert len(read_json(path, "rows")) == 100


def test_an_object_is_reduced_as_soon_as_it_is_read(tmp_path):
    (tmp_path / "a.json").write_text('{"rows": [{"a": 1, "b": [2]}]}')
    assert read_json(tmp_path / "a.json", "rows", reduce=lambda entry: {**entry, "b": 0}) == {
        "rows": [{"a": 1, "b": 0}],
        "b": 0,
    }


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "large"])
def test_a_small_file_is_a_plain_one_of_limited_size(tmp_path, kind):
    path = tmp_path / "x"
    make = {
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "link": lambda: path.symlink_to("nowhere"),
        "large": lambda: path.write_bytes(b"1234"),
    }
    make[kind]()
    with pytest.raises(FormatError, match="x: "):
        read_small(path, 3, "a list")


def test_a_private_file_is_its_owners_alone_before_anything_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    opened = os.fdopen

    def watched(handle: int, *arguments: Any, **more: Any) -> Any:
        modes.append(os.fstat(handle).st_mode & 0o777)
        return opened(handle, *arguments, **more)

    monkeypatch.setattr("tasks.ground.files.os.fdopen", watched)
    path = tmp_path / "new" / "secret"
    before = os.umask(0)
    try:
        write_private(path, "one")
        path.chmod(0o644)
        write_private(path, "two")
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o600)
    assert list(path.parent.iterdir()) == [path]
