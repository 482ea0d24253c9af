"""The sizes of training boxes at the model's input, against its anchors and its finest feature map."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import AnnotatedImage
from tasks.ground.text import shortened
from tasks.lint.finding import Finding, percent
from tasks.model.anchors import best_iou, box_sizes
from tasks.model.geometry import ModelGeometry

# Less than this is not worth a reader's time: every data set has some odd boxes.
SHARE = 0.1
FEWEST = 3
_SHOWN = 5


def check_anchors(
    images: Sequence[AnnotatedImage], model: str, geometry: ModelGeometry, others: Mapping[str, ModelGeometry]
) -> list[Finding]:
    """Classes of whose boxes more than a tenth overlap no anchor enough to match, even around one centre.

    `others` are models that the user could take instead, by name.
    """
    names, beyond = _beyond(images, geometry)
    rows = []
    for name in dict.fromkeys(names):
        mine = names == name
        count, of = int(beyond[mine].sum()), int(mine.sum())
        if count >= FEWEST and count > SHARE * of:
            rows.append((count / of, count, of, str(name)))
    if not rows:
        return []
    rows.sort(key=lambda row: (-row[0], -row[1], row[3]))
    told = ", ".join(
        f"{percent(share)} of {shortened(name)} ({count} of {of})" for share, count, of, name in rows[:_SHOWN]
    )
    more = f" and parts of {len(rows) - _SHOWN} more classes" if len(rows) > _SHOWN else ""
    concerned = np.isin(names, [row[3] for row in rows])
    become = (
        "training gives each of these boxes the one anchor that fits it best, so it is learned from less than others"
        if geometry.force_match
        else "training learns nothing from these boxes"
    )
    return [
        Finding(
            "warning",
            "model.name",
            model,
            f"{told}{more} overlap none of its anchors by an IoU of {geometry.matched_iou:g}, even around one centre: "
            f"{become}",
            _remedy(lambda other: float(_beyond(images, other)[1][concerned].mean()), geometry, others),
        )
    ]


def check_small(
    images: Sequence[AnnotatedImage], model: str, geometry: ModelGeometry, others: Mapping[str, ModelGeometry]
) -> list[Finding]:
    """More than a tenth of all boxes smaller than one place of the finest feature map."""
    small = _small(images, geometry)
    count = int(small.sum())
    if count < FEWEST or count <= SHARE * len(small):
        return []
    stride = geometry.finest_stride_px
    return [
        Finding(
            "warning",
            "model.name",
            model,
            f"{percent(count / len(small))} of the training boxes ({count} of {len(small)}) measure less than {stride} "
            f"px (the root of their area) at its input of {geometry.resizer}: less than one place of its finest "
            "feature map, so that neighbours can hardly be told apart",
            _remedy(lambda other: float(_small(images, other).mean()), geometry, others),
        )
    ]


def _beyond(
    images: Sequence[AnnotatedImage], geometry: ModelGeometry
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.bool_]]:
    """Of each box its class, and whether no anchor overlaps it enough; crowds are left out."""
    sizes, names = box_sizes(images, geometry.resizer)
    return names, best_iou(sizes, geometry.anchors) < geometry.matched_iou


def _small(images: Sequence[AnnotatedImage], geometry: ModelGeometry) -> npt.NDArray[np.bool_]:
    sizes, _ = box_sizes(images, geometry.resizer)
    return np.asarray(np.sqrt(sizes.prod(axis=1)) < geometry.finest_stride_px)


def _remedy(
    share: Callable[[ModelGeometry], float], geometry: ModelGeometry, others: Mapping[str, ModelGeometry]
) -> str:
    """The model that leaves the fewest, where that is at most half of what this one does; else what a person can do."""
    left = {name: share(other) for name, other in others.items()}
    best = min(left, key=lambda name: left[name], default="")
    own = "a pipeline.config of your own (configs/README.md) can have a larger input or other anchors"
    if not best or left[best] > share(geometry) / 2:
        return own
    work = _pixels(others[best]) / _pixels(geometry)
    more = f"; {own}" if left[best] > SHARE else ""
    return f"{best} would leave {percent(left[best])} of them, with {work:.2g} times the pixels{more}"


def _pixels(geometry: ModelGeometry) -> int:
    """Of what the detector is fed; configure refuses models whose input has no fixed size."""
    return geometry.resizer.width * geometry.resizer.height
