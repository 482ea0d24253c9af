from pathlib import Path
from typing import Any

import pytest

from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import fill_in
from tasks.errors import ConfigError
from tests.detector.test_pipeline_config import DEFAULT, filled, params
from tests.exporting.params import export_params


@pytest.mark.parametrize(
    ("changes", "alpha", "gamma"),
    [({}, 0.25, 2.0), ({"focal_alpha": 0.5}, 0.5, 2.0), ({"focal_alpha": 0.75, "focal_gamma": 0.0}, 0.75, 0.0)],
)
def test_params_set_the_focal_loss_where_they_have_values(changes: dict[str, Any], alpha: float, gamma: float) -> None:
    focal = filled(**changes).model.ssd.loss.classification_loss.weighted_sigmoid_focal

    assert (focal.alpha, focal.gamma) == (pytest.approx(alpha), pytest.approx(gamma))


def test_a_focal_param_for_another_loss_is_refused() -> None:
    config = pipeline_proto(DEFAULT)
    config.model.ssd.loss.classification_loss.weighted_softmax.SetInParent()
    rest: Any = {"num_classes": 3, "export": export_params(), "records": Path(), "fine_tune_checkpoint": None}

    fill_in(config, train=params(), **rest)
    with pytest.raises(
        ConfigError, match=r"train\.focal_gamma: .* is weighted_softmax, not a focal loss; set it to null"
    ):
        fill_in(config, train=params(focal_gamma=1.5), **rest)
