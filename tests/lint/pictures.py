"""Images of one size with the boxes that a test of the checks needs."""

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags


def picture(*boxes: tuple[str, float, float], side: int = 320, crowd: bool = False) -> AnnotatedImage:
    """An image of `side` x `side` pixels with boxes of `(class, width, height)`."""
    n = len(boxes)
    return AnnotatedImage(
        file_name="a.jpg",
        width=side,
        height=side,
        boxes=as_boxes([[0, 0, width, height] for _, width, height in boxes]),
        classes=tuple(name for name, _, _ in boxes),
        difficult=flags(n),
        iscrowd=flags(n, [crowd] * n),
    )
