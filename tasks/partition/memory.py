"""Which split each image was assigned to, kept in a file beside params.yaml: an image keeps its split when others come.

Images are identified by their content: a renamed file keeps its split. The file belongs in git, as dvc.lock does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.splits import SPLITS, most_protected
from tasks.errors import FormatError
from tasks.ground.files import MAX_JSON_BYTES, read_small, write_json
from tasks.ground.text import shortened

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SplitMemory:
    """The splits of images, by the SHA-256 of their content.

    Attributes:
        rule: what the images were assigned by (seed, fractions): splits by another rule are not kept.
        splits: `train`, `val` or `test` by content hash.
    """

    rule: Mapping[str, float]
    splits: Mapping[str, str]

    def split_of(self, group: Sequence[AnnotatedImage]) -> str | None:
        """The split of a group of images that stay together; the most protected one where they had several.

        A tested image must never be learned from; a learned one may be tested on in a later training.
        """
        return most_protected({self.splits[image.sha256] for image in group if image.sha256 in self.splits}) or None

    def with_splits(self, splits: Mapping[str, str]) -> "SplitMemory":
        """The memory after a run assigned `splits`; images that are missing now stay in it, unless all are."""
        kept = self.splits if self.splits.keys() & splits.keys() else {}
        return SplitMemory(self.rule, {**kept, **splits})


def read_split_memory(path: Path, rule: Mapping[str, float]) -> SplitMemory:
    """The memory in `path`; an empty one where the file is missing, or its splits were assigned by another rule.

    Raises:
        FormatError: the file is not what `write_split_memory` writes.
    """
    if not path.exists():
        return SplitMemory(rule, {})
    try:
        content = json.loads(read_small(path, MAX_JSON_BYTES, "a split memory").decode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("expected an object with `parts` and `rule`")  # noqa: TRY004, TRY301
        splits = _splits_by_hash(content["parts"])
        same_rule = content["rule"] == dict(rule)
    except (ValueError, KeyError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise FormatError(
            f"{path}: not a split memory ({reason}); restore it from git, or delete it to assign all images anew"
        ) from error
    return SplitMemory(rule, splits if same_rule else {})


def _splits_by_hash(parts: object) -> dict[str, str]:
    splits: dict[str, str] = {}
    if not isinstance(parts, dict):
        raise ValueError("`parts` is not an object")  # noqa: TRY004 - of the file, as all the others here
    for split, keys in parts.items():
        if split not in SPLITS or not isinstance(keys, list):
            raise ValueError(f"expected {', '.join(SPLITS)} with a list of images each, but got {split!r}")
        for key in keys:
            if not (isinstance(key, str) and _HASH.fullmatch(key)):
                raise ValueError(f"{split} lists {shortened(str(key))}, which is not the hash of an image")
            if splits.setdefault(key, split) != split:
                raise ValueError(f"{key[:80]} is in {splits[key]} and in {split}")
    return splits


def write_split_memory(memory: SplitMemory, path: Path) -> None:
    """Write one line for each image, sorted by hash, so that added images make a short diff."""
    parts: dict[str, list[str]] = {split: [] for split in SPLITS}
    for key in sorted(memory.splits):
        parts[memory.splits[key]].append(key)
    write_json(path, {"rule": dict(memory.rule), "parts": parts})
