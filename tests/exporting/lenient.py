"""A judge of variants that lets everything pass."""

from pathlib import Path

from tasks.metrics.differences import Difference

NOTHING_LOST = Difference("mAP", 0.5, 0.5, None)


class Lenient:
    """See `tasks.exporting.variants.Judge`."""

    def difference(self, file: Path) -> Difference:
        return NOTHING_LOST

    def is_too_much(self, difference: Difference) -> bool:
        return False

    def why_left_out(self, file: Path, difference: Difference) -> str | None:
        return None
