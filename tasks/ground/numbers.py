"""Numbers as annotation files write them: `12`, `12.5`, `1e3`. Python's `1_2` and other scripts' digits are none."""

import math
import re

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
# No side of any image has so many pixels; what is larger was never a size.
_MAX_PX = 10**9


def finite(text: str) -> float | None:
    """The number that `text` is, blanks around it aside; None for anything else, and for one that is not finite."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def pixels(value: object) -> int:
    """A side of an image; 0, unknown, for what is no number above 0 that an image can have."""
    number = finite(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 1 <= number <= _MAX_PX:
        return 0
    return int(number)
