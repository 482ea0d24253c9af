"""Where the detector is surely worse than on the rest of the test images: figures and tests of every slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from tasks.artifacts.analysis import class_interval_name
from tasks.artifacts.slices import LEVEL, SliceFigures, Slices
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.ground.text import counted, shortened
from tasks.metrics.analysis import carriers_of
from tasks.metrics.influence import by_image, influences
from tasks.metrics.intervals import LEAST_IMAGES, halves, interval, resampled_figures
from tasks.metrics.matching import Matches
from tasks.metrics.slice_groups import Slice, crowding, slices_of_boxes, thirds, words
from tasks.metrics.slice_tests import holm, p_of_boxes, p_of_images

# A third of fewer images shows nothing.
_LEAST_TEST_IMAGES = 3 * LEAST_IMAGES
# Columns: more come of a broken file, and each slice costs the others power.
_MOST_WORD_TRAITS = 20
# Signs of fewer images cannot be so unlikely that a slice of boxes would be named among ten or more.
_LEAST_SIGNS = 10
# Of halves for each interval: a third of those for the figures of the whole, for there are many slices.
_PAIRS = 100

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class NumberTrait:
    """A number of each test image.

    Attributes:
        divided_by: its name.
        values: `(images,)`.
        titles: of the slices with the lowest, the middle and the highest third.
        unit: what stands after the range.
    """

    divided_by: str
    values: Sequence[float]
    titles: tuple[str, str, str]
    unit: str


@dataclass(frozen=True)
class Traits:
    """What is known of each test image, in the order of the data set.

    Attributes:
        numbers: properties that are numbers.
        words: by the name of the column or `folder`; empty where an image has none.
    """

    numbers: Sequence[NumberTrait] = ()
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)


def slices_of(groundtruth: Dataset, detections: Sequence[Detections], matches: Matches, traits: Traits) -> Slices:
    """The figures of every slice, and whether it is surely worse than the rest.

    `matches` are those of `groundtruth` and `detections`. With too few images there are none, and `left_out` says so.
    """
    images = len(groundtruth.images)
    if images < _LEAST_TEST_IMAGES:
        few = f"the test split has {counted(images, 'image')}, and slices need {_LEAST_TEST_IMAGES}"
        return Slices(left_out=[few] if images else [])
    slices, left_out = slices_to_test(groundtruth, detections, matches, traits)
    return Slices(
        tested=[_figures(matches, each, p) for each, p in zip(slices, p_values(matches, slices), strict=True)],
        left_out=left_out,
    )


def slices_to_test(
    groundtruth: Dataset, detections: Sequence[Detections], matches: Matches, traits: Traits
) -> tuple[list[Slice], list[str]]:
    """The slices that have enough images, and so has what is not in them; and a phrase on each that has not."""
    candidates, left_out = _candidates(groundtruth, detections, matches, traits)
    few = [_too_few(matches, each) for each in candidates]
    left_out += [f"{each.title}: {phrase}" for each, phrase in zip(candidates, few, strict=True) if phrase]
    return [each for each, phrase in zip(candidates, few, strict=True) if not phrase], left_out


def p_values(matches: Matches, slices: Sequence[Slice]) -> list[float]:
    """How likely chance alone would make each slice look so much worse than the rest.

    As for intervals of 95 %, twice the probability on the one side counts; all are corrected for how many there are.
    """
    return holm([min(1.0, 2 * p) for p in _one_sided(matches, slices)])


def _candidates(
    groundtruth: Dataset, detections: Sequence[Detections], matches: Matches, traits: Traits
) -> tuple[list[Slice], list[str]]:
    found = slices_of_boxes(groundtruth, detections, matches)
    found += crowding(groundtruth, matches)
    left_out: list[str] = []
    for each in traits.numbers:
        values = np.asarray(each.values, dtype=np.float64)
        found += thirds(matches, each.divided_by, values, each.titles, each.unit)
    for place, (name, texts) in enumerate(traits.words.items()):
        own, why = (
            words(matches, name, texts) if place < _MOST_WORD_TRAITS else ([], f"{shortened(name)}: not looked at")
        )
        found += own
        left_out += [why] if why else []
    return found, left_out


def _too_few(matches: Matches, each: Slice) -> str:
    """How few images a slice or the rest is in, where they are too few; else empty."""
    counted_boxes = ~matches.box_ignored[0]
    inside = len(np.unique(matches.box_image[counted_boxes & each.boxes]))
    rest = len(np.unique(matches.box_image[counted_boxes & ~each.boxes]))
    least = LEAST_IMAGES if each.images is not None else _LEAST_SIGNS
    if min(inside, rest) >= least:
        return ""
    return f"{'' if inside < least else 'the rest is '}in {counted(min(inside, rest), 'image')}"


def _one_sided(matches: Matches, slices: Sequence[Slice]) -> list[float]:
    """How likely each slice would look so bad by chance, each for itself."""
    found = influences(matches)
    detection = found.detection.mean(axis=0)
    counts, none = (~matches.box_ignored[0]).astype(np.float64), np.zeros(len(detection))
    influence, boxes = by_image(matches, detection, found.box), by_image(matches, none, counts)
    of_images = iter(p_of_images(influence, boxes, [each.images for each in slices if each.images is not None]))
    return [
        next(of_images)
        if each.images is not None
        else p_of_boxes(
            influence,
            boxes,
            by_image(matches, detection * each.detections, found.box * each.boxes),
            by_image(matches, none, counts * each.boxes),
        )
        for each in slices
    ]


def _figures(matches: Matches, each: Slice, p_value: float) -> SliceFigures:
    inside = _part(matches, each.boxes, each.detections)
    rest = _part(matches, ~each.boxes, ~each.detections)
    members = np.ones(matches.images, bool) if each.images is None else each.images
    halved = halves(int(members.sum()), _PAIRS)
    weights = np.zeros((len(halved) + 1, matches.images))
    weights[0], weights[1:, members] = 1.0, halved
    figures, others = resampled_figures(inside, weights), resampled_figures(rest, weights[:1])
    carriers = carriers_of(inside)["mAP"]
    of_rest = {name: float(values[0]) for name, values in others.items()}
    own = {name: float(values[0]) for name, values in figures.items()}
    shared_ap, rest_ap = _of_shared_classes(matches.classes, own, of_rest)
    return SliceFigures(
        divided_by=each.divided_by,
        title=each.title,
        rule=each.rule,
        images=int(members.sum()) if each.images is not None else len(np.unique(inside.box_image)),
        boxes=int((~inside.box_ignored[0]).sum()),
        mean_ap=own["mAP"],
        mean_ap_interval=interval(own["mAP"], figures["mAP"][1:], halved, carriers),
        ap50=own["AP50"],
        ap50_interval=interval(own["AP50"], figures["AP50"][1:], halved, carriers),
        shared_ap=shared_ap,
        rest_ap=rest_ap,
        p_value=p_value,
        surely_worse=p_value <= LEVEL and shared_ap is not None and rest_ap is not None and shared_ap < rest_ap,
    )


def _of_shared_classes(
    classes: Sequence[str], one: Mapping[str, float], other: Mapping[str, float]
) -> tuple[float | None, float | None]:
    """The mean AP of both over the classes that both have; None where there is none."""
    names = [class_interval_name(name) for name in classes]
    shared = [name for name in names if np.isfinite(one[name]) and np.isfinite(other[name])]
    if not shared:
        return None, None
    return float(np.mean([one[name] for name in shared])), float(np.mean([other[name] for name in shared]))


def _part(matches: Matches, boxes: _Bools, detections: _Bools) -> Matches:
    """The matches with the `boxes`, `(G,)`, and `detections`, `(D,)`, that are chosen; the images are the same."""
    number = np.where(boxes, np.cumsum(boxes) - 1, -1).astype(np.int32)
    box = matches.box[:, detections]
    return replace(
        matches,
        image=matches.image[detections],
        class_=matches.class_[detections],
        score=matches.score[detections],
        rank=matches.rank[detections],
        source=matches.source[detections],
        matched=matches.matched[..., detections],
        ignored=matches.ignored[..., detections],
        box=np.where(box >= 0, number[box], -1) if len(number) else box,
        box_image=matches.box_image[boxes],
        box_class=matches.box_class[boxes],
        box_ignored=matches.box_ignored[:, boxes],
    )
