"""Which image went to which part: kept in a file beside params.yaml, so that an image keeps its part when others come.

Images are known by their content: a renamed file keeps its part. The file belongs into git, as dvc.lock does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.annotation.dataset import AnnotatedImage
from tasks.errors import FormatError
from tasks.files import write_json


@dataclass(frozen=True)
class SplitMemory:
    """Parts by the SHA-256 of images, of deals that were made with one `rule`.

    Attributes:
        rule: what the deals were made with (seed, fractions): parts dealt by another rule are not kept.
        parts: `train`, `val` or `test` by content hash.
    """

    rule: Mapping[str, float]
    parts: Mapping[str, str]

    def part_of(self, group: Sequence[AnnotatedImage]) -> str | None:
        """The part of a group of images that stay together, if any has one: test before val before train.

        What was tested on is never learned from; what was learned from may be tested on in a later training.
        """
        found = {self.parts.get(image.sha256) for image in group}
        return next((part for part in ("test", "val", "train") if part in found), None)

    def with_parts(self, parts: Mapping[str, str]) -> "SplitMemory":
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
        content = json.loads(path.read_text(encoding="utf-8"))
        parts = {key: part for part, keys in content["parts"].items() for key in keys}
        same = content["rule"] == dict(rule)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{path}: not a list of parts ({error}); take it from git again, or delete it to deal anew"
        ) from error
    return SplitMemory(rule, parts if same else {})


def write_split_memory(memory: SplitMemory, path: Path) -> None:
    """One line an image, in an order of its own, so that additions are short to read in a diff."""
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for key in sorted(memory.parts):
        parts[memory.parts[key]].append(key)
    write_json(path, {"rule": dict(memory.rule), "parts": parts})
