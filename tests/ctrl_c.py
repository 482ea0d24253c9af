"""Children that Ctrl-C reaches, wherever the tests themselves were started."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reaches_children() -> Iterator[None]:
    """Start within it what is to be interrupted.

    A shell starts its commands in the background with SIGINT ignored, and a child inherits that.
    """
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, inherited)
