"""Steps on toy Faster R-CNNs: both stages learn, a resumed run equals an uninterrupted one, validation infers."""

from pathlib import Path

import numpy as np
import pytest

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.detector.pipeline_config import write_pipeline_config
from tasks.errors import TrainingError
from tasks.model.schedule import phases_of
from tasks.training.freeze import max_abs_change, snapshot, trainable
from tasks.training.preparation import prepare_run
from tasks.training.progress import ValidationScores
from tasks.training.replicas import available_replicas
from tasks.training.validation import RecordsDetector
from tests.detector import toy_faster_rcnn_fpn
from tests.detector.toy_faster_rcnn import dynamic_config, toy_config, toy_faster_rcnn
from tests.training.test_training import Run
from tests.training.train_params import train_params

pytestmark = pytest.mark.slow

SCORES = ValidationScores(mAP=0.5, AP50=0.5)
IMAGES = [AnnotatedImage(f"{number}.jpg", 40, 20, as_boxes([]), (), flags(0), flags(0)) for number in range(7)]


# What learns only from proposals that overlap an object.
BOXES = "/_mask_rcnn_box_predictor/_box_prediction_head/"
# What learns only from the anchors of one level, which may not be drawn. Anchors beyond the input are not in a dynamic
# config, and all of the coarse levels are.
BOXES_OF_LEVELS, HEADS_OF_LEVELS = "/_prediction_heads/box_encodings/", "/_prediction_heads/"
COARSE = "/coarse_feature_layers/"


@pytest.mark.parametrize(
    ("config", "freeze", "may_stay"),
    [
        (toy_config, 1, [BOXES]),
        (dynamic_config, "heads-only", [BOXES]),
        (toy_faster_rcnn_fpn.toy_config, "backbone", [BOXES, BOXES_OF_LEVELS]),
        (toy_faster_rcnn_fpn.dynamic_config, 2, [BOXES, HEADS_OF_LEVELS, COARSE]),
    ],
    ids=["one block", "all but heads", "FPN, backbone", "FPN, two blocks"],
)
def test_a_resumed_run_ends_with_the_same_bits_and_frozen_variables_are_unchanged(
    tmp_path: Path, grey_shard: Path, config, freeze, may_stay
) -> None:
    def run() -> Run:
        return Run(grey_shard, lambda: toy_faster_rcnn(config()), freeze)

    whole = run()
    rows = whole.train(tmp_path / "whole").steps
    run().train(tmp_path / "parts", last=4)
    second = run()
    again = second.train(tmp_path / "parts").steps
    assert max_abs_change(second.network, snapshot(whole.network, whole.network.variables)) == 0.0
    assert [row.loss for row in rows] == [row.loss for row in again]
    moved = {key for key, value in whole.before.items() if max_abs_change(whole.network, {key: value}) > 0}
    assert not moved & whole.frozen
    kernels = {key for key in trainable(whole.network, whole.frozen) if key.endswith("kernel")}
    assert moved >= {key for key in kernels if not any(part in key for part in may_stay)}


def test_validation_during_training_infers_in_the_photos_pixels_and_draws_nothing(
    tmp_path: Path, grey_shard: Path
) -> None:
    run = Run(grey_shard, toy_faster_rcnn)
    detector = RecordsDetector(run.network, [grey_shard], IMAGES, ("cat", "dog"))
    seen = []

    def validate() -> ValidationScores:
        seen.append((detector(), detector()))
        return SCORES

    run.train(tmp_path / "run", validate)
    assert len(seen) == 2
    for first, second in seen:
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one.boxes, other.boxes)
            np.testing.assert_array_equal(one.scores, other.scores)
    boxes = np.concatenate([found.boxes for found in seen[-1][0]])
    assert len(boxes) > 7
    assert boxes.min() >= 0
    # The photo takes half of the input's height.
    assert 10 < boxes[:, 3].max() <= 20
    assert 20 < boxes[:, 2].max() <= 40


def test_several_devices_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    replicas = available_replicas()
    replicas.count = 2
    write_pipeline_config(toy_config(), tmp_path / "pipeline.config")
    (phase,) = phases_of(train_params())

    with pytest.raises(TrainingError, match=r"two stages trains on one device here, and there are 2; .*CUDA_VISIBLE"):
        prepare_run(phase, tmp_path / "pipeline.config", tmp_path / "base", ("cat", "dog"), 8, replicas)
