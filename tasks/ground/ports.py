"""Ports as the command line takes them."""

from argparse import ArgumentTypeError

_LAST = 65_535


def port_number(text: str) -> int:
    """The port that `text` names; 0, by which systems choose one, is not asked for: people must know the address.

    Raises:
        ArgumentTypeError: it is not a whole number from 1 to 65535.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text[: len(str(_LAST)) + 1]) <= _LAST):
        raise ArgumentTypeError(f"expected a port, 1 to {_LAST}, but got {text[:20]!r}")
    return int(text)
