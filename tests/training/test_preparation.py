"""What a run starts with where a base knows some of its classes."""

from pathlib import Path

import numpy as np

from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.pipeline_config import write_pipeline_config
from tasks.model.schedule import phases_of
from tasks.training.preparation import prepare_run
from tasks.training.replicas import available_replicas
from tests.detector.small_network import V2_SSD, small_config
from tests.detector.test_class_rows import SIDE_PX, trained_for
from tests.training.train_params import train_params


def test_kept_rows_are_not_initialised_and_learn_at_the_rate_of_new_layers(tmp_path: Path) -> None:
    trained = trained_for(V2_SSD, ("Person", "Car"), tmp_path / "base")
    write_pipeline_config(small_config(V2_SSD, num_classes=2, side_px=SIDE_PX), tmp_path / "pipeline.config")
    (phase,) = phases_of(train_params(freeze="none", precision="float32"))
    replicas = available_replicas()

    run = prepare_run(phase, tmp_path / "pipeline.config", tmp_path / "base", ("Helmet", "Person"), 8, replicas)

    head = [key for key in run.network.variables if run.network.component_of(key) == CLASS_HEAD]
    for key in head:
        ours, theirs = (network.variables[key].numpy() for network in (run.network, trained))
        rows = ours.reshape(*ours.shape[:-1], -1, 3)
        np.testing.assert_array_equal(rows[..., 2], theirs.reshape(rows.shape)[..., 1])
        assert (rows[..., 1] != theirs.reshape(rows.shape)[..., 1]).any()
    assert len(head) == 12
    assert run.restored.keys.isdisjoint(head)
    # The last group of variables is that of the higher rate.
    last = run.trainer._optimizer.updated[-len(head) :]
    assert {id(variable) for variable in last} == {id(run.network.variables[key]) for key in head}
