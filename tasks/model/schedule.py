"""The learning-rate schedule: what the pipeline.config, the lint and the optimizer must agree on."""

from tasks.params import TrainParams


def decay_end_step(train: TrainParams) -> int:
    """The step at which the learning rate has fallen to 0."""
    return train.decay_steps or train.steps
