import pytest

from tasks.errors import FormatError
from tasks.tfrecords.tfrecord import read_records, write_records


def test_payloads_are_read_in_the_order_they_were_written(tmp_path):
    payloads = [b"first", b"", b"\x00" * 100_000]
    write_records(tmp_path / "a.tfrecord", payloads)
    assert list(read_records(tmp_path / "a.tfrecord")) == payloads


def test_a_record_has_the_documented_frame(tmp_path):
    write_records(tmp_path / "a.tfrecord", [b"123456789"])
    content = (tmp_path / "a.tfrecord").read_bytes()
    # crc32c of this is 0xE3069283, the CRC catalogue's check value; masked: rotated right by 15, plus a constant.
    masked = ((0xE3069283 >> 15 | 0xE3069283 << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF
    assert content[:8] == (9).to_bytes(8, "little")
    assert content[12:21] == b"123456789"
    assert content[21:] == masked.to_bytes(4, "little")


def test_no_payloads_give_a_valid_empty_file(tmp_path):
    write_records(tmp_path / "a.tfrecord", [])
    assert list(read_records(tmp_path / "a.tfrecord")) == []


@pytest.mark.parametrize(
    ("damage", "byte"),
    [
        (lambda c: c[:3] + b"\x01" + c[4:], 0),
        (lambda c: c[:21] + b"x" + c[22:], 21),
        (lambda c: c[:-1] + bytes([c[-1] ^ 1]), 21),
        (lambda c: c[:-1], 21),
        (lambda c: c[:25], 21),
        (lambda c: c + b"\x05", 42),
    ],
    ids=["length", "second length", "checksum", "cut within a checksum", "cut within a length", "a byte too many"],
)
def test_damage_is_refused_with_file_and_byte(tmp_path, damage, byte):
    path = tmp_path / "a.tfrecord"
    write_records(path, [b"12345", b"67890"])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FormatError, match=f"at byte {byte} ") as caught:
        list(read_records(path))
    assert str(path) in str(caught.value)


def test_a_length_beyond_the_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.tfrecord"
    write_records(path, [b"x" * 10])
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(FormatError, match="should hold 10 bytes"):
        list(read_records(path))


def test_a_failed_write_leaves_nothing(tmp_path):
    def payloads():
        yield b"1"
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        write_records(tmp_path / "a.tfrecord", payloads())
    assert list(tmp_path.iterdir()) == []
