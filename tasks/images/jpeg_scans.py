"""How often a JPEG file goes over its pixels: a scan of a few bytes costs the decoder a pass over the whole image."""

import re
from mmap import mmap

# A marker that is followed by the length of its segment. Inside a scan, FF 00 is a byte of data, FF D0 to FF D7 are
# restarts, and FF FF is padding (ITU-T T.81, B.1.1).
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# Start of frame, by T.81, table B.1: all of C0 to CF but DHT, JPG and DAC. From C2 on, each second pair is progressive.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


def count_scans(content: bytes | mmap, limit: int) -> int:
    """How many scans a decoder reads of the first image in a JPEG file, counted up to `limit` + 1.

    It is 1 where the first scan holds all of the image, as decoders stop after it. Nothing is decoded.
    """
    components, progressive, scans, position = 0, False, 0, 2
    while scans <= limit and (found := _MARKER.search(content, position)):
        marker, segment = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            break
        if marker in _FRAMES:
            components, progressive = _byte(content, segment + 7), marker in _PROGRESSIVE
        elif marker == _START_OF_SCAN:
            scans += 1
            if not progressive and _byte(content, segment + 2) >= components:
                break
        position = segment + 256 * _byte(content, segment) + _byte(content, segment + 1)
    return scans


def _byte(content: bytes | mmap, at: int) -> int:
    return content[at] if at < len(content) else 0
