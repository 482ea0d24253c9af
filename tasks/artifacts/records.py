"""index.json in the folder data/records, which the records stage writes: what each split's shards hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.artifacts.artifact import Artifact, write_artifact

_INDEX = "index.json"


@dataclass(frozen=True)
class ShardFacts:
    """What a finished shard holds.

    Attributes:
        file: its name.
        images: how many it holds.
        boxes: how many it holds.
        re_encoded: images that are not stored byte for byte.
        resized: those of them that were made smaller.
        size: bytes.
        sha256: of the file.
    """

    file: str
    images: int
    boxes: int
    re_encoded: int
    resized: int
    size: int
    sha256: str


class SplitRecords(Artifact):
    """The shards of a split, and sums over them."""

    images: int
    boxes: int
    re_encoded: int
    resized: int
    shards: tuple[ShardFacts, ...]

    @classmethod
    def of(cls, shards: Sequence[ShardFacts]) -> "SplitRecords":
        """The sums over `shards`, and these."""
        return cls(
            images=sum(facts.images for facts in shards),
            boxes=sum(facts.boxes for facts in shards),
            re_encoded=sum(facts.re_encoded for facts in shards),
            resized=sum(facts.resized for facts in shards),
            shards=tuple(shards),
        )


class RecordsIndex(Artifact):
    """The records of the three splits."""

    train: SplitRecords
    val: SplitRecords
    test: SplitRecords

    @property
    def splits(self) -> tuple[SplitRecords, ...]:
        """Train, val and test."""
        return self.train, self.val, self.test


def write_records_index(index: RecordsIndex, records: Path) -> None:
    """Write `index` into the folder `records`."""
    write_artifact(records / _INDEX, index)
