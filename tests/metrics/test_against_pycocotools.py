"""Every figure, curve and score of ours equals pycocotools', case by case."""

import numpy as np
import pytest

from tasks.metrics.average_precision import precision_at_recalls, recall
from tasks.metrics.coco import figures_of
from tasks.metrics.matching import match_detections
from tests.metrics.reference import generated_case, reference_evaluation

CASES, EACH = 1200, 100


@pytest.mark.parametrize("first", range(0, CASES, EACH))
def test_every_figure_curve_and_score_equals_that_of_pycocotools(first: int) -> None:
    measured = 0
    for seed in range(first, first + EACH):
        truth, detections = generated_case(seed)
        expected = reference_evaluation(truth, detections, shuffled=seed if seed % 2 else None)
        matches = match_detections(truth, detections)
        precision, scores = precision_at_recalls(matches)
        # pycocotools: (iou, recall, class, area, most detections); ours: (area, iou, class, recall)
        for ours, theirs in ((precision, "precision"), (scores, "scores")):
            wanted = np.moveaxis(expected.eval[theirs][..., 2], (0, 1, 2, 3), (1, 3, 2, 0))
            np.testing.assert_allclose(ours, wanted, atol=1e-12, err_msg=f"{theirs} of case {seed}")
        for place, most in enumerate((1, 10, 100)):
            wanted = np.moveaxis(expected.eval["recall"][..., place], (0, 1, 2), (1, 2, 0))
            np.testing.assert_allclose(recall(matches, most), wanted, atol=1e-12, err_msg=f"recall of case {seed}")
        figures = figures_of(matches)
        stats = [None if value == -1 else pytest.approx(float(value), abs=1e-12) for value in expected.stats]
        assert list(figures.by_name().values()) == stats, f"case {seed}"
        measured += bool(figures.mean_ap)
    assert measured > EACH / 2
