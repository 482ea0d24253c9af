"""Numbers as annotation files write them: `12`, `12.5`, `1e3`, but not Python's `1_2`, nor other scripts' digits."""

import math
import re

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
# No side of any image has more pixels.
_MAX_PX = 10**9


def finite_number(text: str) -> float | None:
    """The number in `text`, which may have blanks around it; None for anything else, and for one that is not finite."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def side_px(value: object) -> int:
    """A side of an image in pixels; 0, for unknown, where `value` is not a number of pixels that an image can have."""
    number = finite_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 1 <= number <= _MAX_PX:
        return 0
    return int(number)
