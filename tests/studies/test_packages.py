"""Packages of registries: fetched, compared with their SHA-256, read without trust."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from studies.packages import fetch, read_files, unpack
from tasks.errors import PipelineError
from tests.studies.base_materials import png, thing, write_package

FILES = {"x/ball.png": png(thing("ball"))}


def test_a_damaged_package_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    package = write_package(tmp_path, FILES)
    file = tmp_path / "packages" / package.file
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(
        PipelineError, match=r"is damaged, or not things 1\.0: its SHA-256 is not .*; delete it and run again"
    ):
        fetch(package, tmp_path / "packages")


def test_a_package_that_is_no_archive_is_an_error(tmp_path: Path) -> None:
    package = write_package(tmp_path, FILES)
    file = tmp_path / "packages" / package.file
    file.write_bytes(b"no archive")
    with pytest.raises(PipelineError, match="cannot be read"):
        list(read_files(package, file))


@pytest.mark.parametrize(("registry", "client"), [("npm", "npm"), ("debian", "apt-get"), ("pypi", sys.executable)])
def test_a_package_that_cannot_be_fetched_is_an_error_with_a_remedy(
    registry: str, client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: list[str], **_: object) -> None:
        assert command[0] == client
        raise subprocess.CalledProcessError(1, command, stderr="warning\nE: no such version\n")

    package = write_package(tmp_path, FILES).model_copy(update={"registry": registry})
    (tmp_path / "packages" / package.file).unlink()
    monkeypatch.setattr("studies.packages.subprocess.run", refuse)
    with pytest.raises(PipelineError, match=r"no such version.*put things-1.0.tgz of things 1.0 into .* by hand"):
        fetch(package, tmp_path / "packages")


def test_a_client_that_gives_another_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = write_package(tmp_path, FILES)
    (tmp_path / "packages" / package.file).unlink()
    monkeypatch.setattr("studies.packages.subprocess.run", lambda *_, **__: None)
    with pytest.raises(PipelineError, match="gave no file"):
        fetch(package, tmp_path / "packages")


def test_a_debian_package_is_read_without_being_installed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: things\nVersion: 1\nArchitecture: all\nMaintainer: nobody <a@b.c>\nDescription: things\n"
    )
    (root / "usr").mkdir()
    (root / "usr" / "ball.png").write_bytes(png(thing("ball")))
    (root / "usr" / "link.png").symlink_to("/etc/hostname")
    file = tmp_path / "things.deb"
    try:
        subprocess.run(["dpkg-deb", "--build", str(root), str(file)], check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("no dpkg-deb here")
    package = write_package(tmp_path, FILES)
    assert [name for name, _ in read_files(package, file)] == ["./usr/ball.png"]


def test_files_are_unpacked_in_the_order_of_their_paths_and_beside_their_own(tmp_path: Path) -> None:
    two = write_package(tmp_path, {"m/b.bin": b"2", "m/a.json": b"1", "n/a.json": b"3", "n/a_bw": b""}, name="two")
    one = write_package(tmp_path, {"k/z": b"0"}, name="one")
    files = unpack([two, one], tmp_path / "packages", tmp_path / "into")
    assert [file.read_bytes() for file in files] == [b"0", b"1", b"2", b"3"]
    assert files[1].parent == files[2].parent != files[3].parent


def test_nothing_is_unpacked_outside_the_folder(tmp_path: Path) -> None:
    package = write_package(tmp_path, {"../../out": b"1", "/etc/out": b"2"})
    files = unpack([package], tmp_path / "packages", tmp_path / "into")
    assert all(file.resolve().is_relative_to(tmp_path / "into") for file in files)
    assert len(files) == 2


def test_a_package_without_the_file_that_is_read_is_an_error(tmp_path: Path) -> None:
    package = write_package(tmp_path, FILES).model_copy(update={"paths": ["other"]})
    with pytest.raises(PipelineError, match=r"things 1\.0 has no file other"):
        unpack([package], tmp_path / "packages", tmp_path / "into")


def test_a_wheel_is_read_as_it_is(tmp_path: Path) -> None:
    wheel = tmp_path / "things-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("things/ball.png", b"ball")
        archive.writestr("things/ball_bw.png", b"")
    assert list(read_files(write_package(tmp_path, FILES), wheel)) == [("things/ball.png", b"ball")]
    wheel.write_bytes(b"no wheel")
    with pytest.raises(PipelineError, match="cannot be read"):
        list(read_files(write_package(tmp_path, FILES), wheel))
