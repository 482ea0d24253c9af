"""Ports on the command lines of servers."""

import pytest

from flows.server import main as server
from tasks.__main__ import main
from tasks.ground.ports import port_number


@pytest.mark.parametrize(("text", "port"), [("1", 1), ("8080", 8080), ("65535", 65535)])
def test_a_port_is_a_number(text, port):
    assert port_number(text) == port


@pytest.mark.parametrize("text", ["0", "-1", "65536", "99999", "abc", "80.5", "", " 80", "\u0668\u0660", "9" * 5000])
def test_what_is_no_port_is_refused_before_anything_starts(text, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["server", f"--port={text}"])
    for start in (lambda: main(["annotate", "photos", f"--port={text}"]), server):
        with pytest.raises(SystemExit, match="2"):
            start()
        assert "argument --port: expected a port, 1 to 65535, but got" in capsys.readouterr().err
