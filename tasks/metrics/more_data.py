"""What more labelled images would bring: the learning curve of trainings on subsets, and how sure it is."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.artifacts.learning_curve import CurvePlace, Expected, FittedCurve, MeasuredCurve, SizeScores
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import EvaluationError
from tasks.metrics.analysis import carriers_of
from tasks.metrics.coco import figures_of
from tasks.metrics.intervals import LEAST_IMAGES
from tasks.metrics.learning_curve import Estimate, LearningCurve, Measured, fit_learning_curve, why_no_curve
from tasks.metrics.matching import match_detections
from tasks.metrics.scored_images import scored_images

GAIN_TO_SEE = 0.02
_TWICE = 2.0
# Points of the drawn curve.
_PLACES = 41


def require_scored_images(held_out: Dataset) -> None:
    """Refuse images to score on that cannot show how sure a figure is, before anything is trained.

    Raises:
        EvaluationError: some class that they show is in fewer than 5 of them, or they show none.
    """
    nothing = [Detections(as_boxes([]), (), np.zeros(0))] * len(held_out.images)
    carriers = carriers_of(match_detections(held_out, nothing))["mAP"]
    if carriers < LEAST_IMAGES:
        raise EvaluationError(
            f"of the {len(held_out.images)} val and test images {carriers} show the rarest class, and below "
            f"{LEAST_IMAGES} nothing is known of how sure a figure is: add images, or raise split.val_fraction"
        )


def measured_curve(
    sizes: Sequence[tuple[int, int]],
    held_out: Dataset,
    detections: Sequence[Sequence[Sequence[Detections]]],
    *,
    scored: Mapping[str, int],
    model: str,
    steps: int,
) -> MeasuredCurve:
    """The figures of all trainings and what follows from them.

    Args:
        sizes: per cent and number of training images, rising, at least two.
        held_out: the images that were detected in, as `require_scored_images` wants them.
        detections: for each size and each of at least two seeds, in each of those images.
        scored: how many of those are of which split.
        model: its name.
        steps: of each training.
    """
    matches = [[match_detections(held_out, found) for found in own] for own in detections]
    rows = [
        SizeScores(percent=percent, images=images, scores=[figures_of(each).mean_ap or 0.0 for each in own])
        for (percent, images), own in zip(sizes, matches, strict=True)
    ]
    over = scored_images(matches)
    measured = Measured(
        np.array([row.images for row in rows], np.float64), np.array([row.scores for row in rows]), over.noise()
    )
    why = why_no_curve(measured)
    return MeasuredCurve(
        model=model,
        steps=steps,
        sizes=rows,
        scored=dict(scored),
        curve=None if why else _summary(fit_learning_curve(measured), measured.images[0]),
        why_no_curve=why or "",
        gain_to_see=GAIN_TO_SEE,
        images_to_see_gain=over.images_for(GAIN_TO_SEE),
    )


def _summary(curve: LearningCurve, least: float) -> FittedCurve:
    twice = _TWICE * curve.now
    return FittedCurve(
        now=_expected(curve.at(curve.now)),
        doubled=_expected(curve.at(twice)),
        gain=_expected(curve.gain(twice)),
        exponent=_expected(curve.power),
        places=[
            CurvePlace(images=float(images), expected=_expected(curve.at(images)))
            for images in np.linspace(least, twice, _PLACES)
        ],
        fits=curve.fits,
    )


def _expected(estimate: Estimate) -> Expected:
    return Expected(value=estimate.value, interval=estimate.interval)
