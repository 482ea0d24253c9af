import socket
import threading
from pathlib import Path

import pytest

from flows.server_access import (
    Access,
    AccessError,
    is_healthy,
    lets_in,
    new_password,
    read_access,
    remove_access,
    write_access,
)
from tests.ports import free_ports

ACCESS = Access("http://127.0.0.1:4300/api", "prefect:secret")


def test_every_password_is_new_and_long() -> None:
    passwords = {new_password() for _ in range(100)}
    assert len(passwords) == 100
    assert {len(each) for each in passwords} == {len("prefect:") + 40}


def test_nobody_else_may_read_the_file_with_the_password(tmp_path: Path) -> None:
    write_access(tmp_path, ACCESS)
    (path,) = tmp_path.iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == ("prefect.toml", 0o600)


def test_what_was_written_is_read_back_replaced_and_removed(tmp_path: Path) -> None:
    assert read_access(tmp_path) is None
    write_access(tmp_path, Access("http://127.0.0.1:4200/api", 'a:"odd\\one"'))
    assert read_access(tmp_path) == Access("http://127.0.0.1:4200/api", 'a:"odd\\one"')
    write_access(tmp_path, ACCESS)
    remove_access(tmp_path, Access(ACCESS.api, "prefect:another"))
    assert read_access(tmp_path) == ACCESS
    remove_access(tmp_path, ACCESS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["[api]\nurl = 'http://x'\nauth_string = 'a:b'\n", "", "\x00"])
def test_a_file_of_the_users_is_neither_read_nor_overwritten_nor_removed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "prefect.toml"
    path.write_text(text)
    with pytest.raises(AccessError, match=r"prefect\.toml is not from `make server`.*PREFECT_SERVER_API_AUTH_STRING"):
        write_access(tmp_path, ACCESS)
    assert read_access(tmp_path) is None
    remove_access(tmp_path, ACCESS)
    assert path.read_text() == text


def test_where_nothing_answers_nothing_is_healthy() -> None:
    (port,) = free_ports(1)
    assert not is_healthy(f"http://127.0.0.1:{port}/api")
    assert not lets_in(Access(f"http://127.0.0.1:{port}/api", "a:b"))


def test_what_does_not_speak_http_is_no_server() -> None:
    def greet(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"220 a mail server\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=[listener])
        thread.start()
        assert not is_healthy(f"http://127.0.0.1:{listener.getsockname()[1]}/api")
        thread.join()
