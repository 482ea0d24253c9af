"""The ledger: what is read back of it, whatever a killed process or a stranger left there."""

import json

import pytest

from tasks.errors import FormatError
from tasks.prediction.ledger import LEDGER, Entry, Ledger, Made, Stamp

ENTRY = Entry(name="a.png", sha256="0" * 64, stamp=Stamp(1, 2, 3), made=Made("m", 0.5, True), boxes={"cat": 2})


def ledger_in(folder):
    return Ledger(folder, folder.parent)


def test_an_entry_comes_back_equal(tmp_path):
    ledger_in(tmp_path).add([ENTRY])
    assert ledger_in(tmp_path).get("a.png") == ENTRY


def test_the_later_line_of_a_name_counts(tmp_path):
    ledger = ledger_in(tmp_path)
    ledger.add([ENTRY])
    ledger.add([ENTRY.model_copy(update={"sha256": "1" * 64})])
    for each in (ledger, ledger_in(tmp_path)):
        assert each.get("a.png").sha256 == "1" * 64
        assert list(each.results_of("0" * 64)) == []


def test_a_part_of_a_line_is_removed_wherever_it_was_cut(tmp_path):
    ledger_in(tmp_path).add([ENTRY, ENTRY.model_copy(update={"name": "b.png"})])
    whole = (tmp_path / LEDGER).read_bytes()
    start = whole[:-1].rfind(b"\n") + 1
    for end in range(len(whole)):
        (tmp_path / LEDGER).write_bytes(whole[:end])
        ledger = ledger_in(tmp_path)
        assert (ledger.get("b.png") is None, (tmp_path / LEDGER).read_bytes()[-1:]) == (True, b"\n")
        assert (ledger.get("a.png") is None) == (end < start)
        ledger.add([ENTRY])
        assert ledger_in(tmp_path).get("a.png") == ENTRY


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "\xff",
        "[" * 100_000,
        json.dumps({"name": "../a.png", "sha256": "0" * 64, "stamp": [1, 2, 3]}),
        json.dumps({"name": "/a.png", "sha256": "0" * 64, "stamp": [1, 2, 3]}),
        json.dumps({"name": "a.png", "sha256": "short", "stamp": [1, 2, 3]}),
        json.dumps({"name": "a.png", "sha256": "0" * 64, "stamp": [1, 2]}),
        json.dumps({"name": "a.png", "sha256": "0" * 64, "stamp": [1, 2, 3], "made": ["m", float("nan"), True]}),
    ],
)
def test_a_line_of_something_else_is_named(tmp_path, line):
    ledger_in(tmp_path).add([ENTRY])
    with (tmp_path / LEDGER).open("a", encoding="latin1") as file:
        file.write(line + "\n")
    with pytest.raises(FormatError, match=rf"{LEDGER}: line 3 is not one that predict-folder writes"):
        ledger_in(tmp_path)


def test_replaced_lines_go_once_they_are_many(tmp_path):
    ledger = ledger_in(tmp_path)
    ledger.add([ENTRY] * 1002)
    assert ledger_in(tmp_path).get("a.png") == ENTRY
    assert len((tmp_path / LEDGER).read_text().splitlines()) == 2
