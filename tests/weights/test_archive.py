import io
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from tasks.errors import CheckpointError
from tasks.weights.archive import extract


def archive_of(
    path: Path, *members: tuple[tarfile.TarInfo | str, bytes], file_format: int = tarfile.PAX_FORMAT
) -> Path:
    with tarfile.open(path, "w:gz", format=file_format) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name) if isinstance(name, str) else name
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def everything(_path: PurePosixPath) -> bool:
    return True


def test_wanted_files_are_extracted_under_their_own_paths(tmp_path: Path) -> None:
    archive = archive_of(
        tmp_path / "a.tar.gz", (special("top", tarfile.DIRTYPE), b""), ("top/a.txt", b"A"), ("top/in/b.txt", b"B")
    )

    written = extract(archive, tmp_path / "out", lambda path: path.name == "b.txt")

    assert written == [tmp_path / "out/top/in/b.txt"]
    assert written[0].read_bytes() == b"B"
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == written


def test_file_modes_are_not_copied(tmp_path: Path) -> None:
    member = tarfile.TarInfo("tool")
    member.mode = 0o6777

    (written,) = extract(archive_of(tmp_path / "a.tar.gz", (member, b"#!")), tmp_path / "out", everything)

    assert not written.stat().st_mode & 0o6111


@pytest.mark.parametrize(
    "member",
    [
        "/absolute",
        "../above",
        "in/../../above",
        "c:/drive",
        "back\\slash",
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard", tarfile.LNKTYPE, "../../secret"),
        special("device", tarfile.CHRTYPE),
        special("block", tarfile.BLKTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda member: member if isinstance(member, str) else member.name,
)
def test_an_archive_with_a_hostile_member_is_refused(tmp_path: Path, member: tarfile.TarInfo | str) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", ("good.txt", b"good"), (member, b""))

    with pytest.raises(CheckpointError, match="archive refused"):
        extract(archive, tmp_path / "in" / "out", everything)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"a.tar.gz", "good.txt"}


def test_a_member_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", ("a.txt", b"1"), ("a.txt", b"2"))

    with pytest.raises(CheckpointError, match="twice"):
        extract(archive, tmp_path / "out", everything)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "bomb.tar.gz", ("zeros", bytes(3_000_000)))

    assert archive.stat().st_size < 10_000
    with pytest.raises(CheckpointError, match="1000000 bytes"):
        extract(archive, tmp_path / "out", everything, max_bytes=1_000_000)
    assert not (tmp_path / "out").exists()


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", *[(f"{i}.txt", b"") for i in range(11)])

    with pytest.raises(CheckpointError, match="more than 10 members"):
        extract(archive, tmp_path / "out", everything, max_members=10)


@pytest.mark.parametrize("file_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_an_endless_name_is_refused(tmp_path: Path, file_format: int) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", ("n" * 200_000, b""), file_format=file_format)

    with pytest.raises(CheckpointError, match="a header of"):
        extract(archive, tmp_path / "out", everything)


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    whole = archive_of(tmp_path / "a.tar.gz", ("a.bin", bytes(range(256)) * 400)).read_bytes()

    for number, content in enumerate((b"", b"<html>not found</html>", whole[: len(whole) // 2])):
        path = tmp_path / f"broken{number}.tar.gz"
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=f"broken{number}.tar.gz"):
            extract(path, tmp_path / f"out{number}", everything)


def test_a_member_below_a_file_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", ("a", b"1"), ("a/b", b"2"))
    with pytest.raises(CheckpointError, match=r"member 'a/b' lies below another member"):
        extract(archive, tmp_path / "out", everything)


def test_the_checksum_after_the_last_member_is_checked(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", ("a", b"1"))
    archive.write_bytes(archive.read_bytes()[:-8] + bytes(8))
    with pytest.raises(CheckpointError, match="CRC check failed"):
        extract(archive, tmp_path / "out", everything)
