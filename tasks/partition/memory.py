"""Which image went to which part: kept in a file beside params.yaml, so that an image keeps its part when others come.

Images are known by their content: a renamed file keeps its part. The file belongs into git, as dvc.lock does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.splits import SPLITS
from tasks.errors import FormatError
from tasks.ground.files import MAX_JSON_BYTES, read_small, write_json


@dataclass(frozen=True)
class SplitMemory:
    """Parts by the SHA-256 of images, of deals that were made with one `rule`.

    Attributes:
        rule: what the deals were made with (seed, fractions): parts dealt by another rule are not kept.
        parts: `train`, `val` or `test` by content hash.
    """

    rule: Mapping[str, float]
    parts: Mapping[str, str]

    def split_of(self, group: Sequence[AnnotatedImage]) -> str | None:
        """The part of a group of images that stay together, if any has one: test before val before train.

        What was tested on is never learned from; what was learned from may be tested on in a later training.
        """
        found = {self.parts.get(image.sha256) for image in group}
        return next((part for part in ("test", "val", "train") if part in found), None)

    def with_splits(self, parts: Mapping[str, str]) -> "SplitMemory":
        """What is remembered after a deal gave `parts`; images that are gone stay in it, unless all are."""
        kept = self.parts if self.parts.keys() & parts.keys() else {}
        return SplitMemory(self.rule, {**kept, **parts})


def read_split_memory(path: Path, rule: Mapping[str, float]) -> SplitMemory:
    """The memory in `path`; an empty one where there is no file, or one of another rule.

    Raises:
        FormatError: the file is not what `write_split_memory` writes.
    """
    if not path.exists():
        return SplitMemory(rule, {})
    try:
        content = json.loads(read_small(path, MAX_JSON_BYTES, "a list of parts").decode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("no object with parts and the rule that they were dealt by")  # noqa: TRY004, TRY301
        parts = _parts_in(content["parts"])
        same = content["rule"] == dict(rule)
    except (ValueError, KeyError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else error
        raise FormatError(
            f"{path}: not a list of parts ({said}); take it from git again, or delete it to deal anew"
        ) from error
    return SplitMemory(rule, parts if same else {})


def _parts_in(content: Any) -> dict[str, str]:
    parts: dict[str, str] = {}
    if not isinstance(content, dict):
        raise ValueError("parts is no object")  # noqa: TRY004 - of the file, as all the others here
    for part, keys in content.items():
        if part not in SPLITS or not isinstance(keys, list):
            raise ValueError(f"{part!r} is none of {', '.join(SPLITS)} with a list of images")
        for key in keys:
            if not isinstance(key, str):
                raise ValueError(f"{part} lists {str(key)[:80]}, which is no hash of an image")  # noqa: TRY004
            if parts.setdefault(key, part) != part:
                raise ValueError(f"{key[:80]} is in {parts[key]} and in {part}")
    return parts


def write_split_memory(memory: SplitMemory, path: Path) -> None:
    """One line an image, in an order of its own, so that additions are short to read in a diff."""
    parts: dict[str, list[str]] = {part: [] for part in SPLITS}
    for key in sorted(memory.parts):
        parts[memory.parts[key]].append(key)
    write_json(path, {"rule": dict(memory.rule), "parts": parts})
