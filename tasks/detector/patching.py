"""Replacing attributes of the OD API's objects for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


@contextmanager
def patched(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """Within it, `owner.name` is `replacement`; a Keras object does not track the replacement."""
    put = object.__setattr__ if isinstance(owner, tf.Module) else setattr
    original = getattr(owner, name)
    put(owner, name, replacement)
    try:
        yield
    finally:
        put(owner, name, original)
