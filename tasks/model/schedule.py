"""The schedule of training: what the pipeline.config, the lint, the optimizer and the loop must agree on."""

from dataclasses import dataclass

from tasks.params import TrainParams


@dataclass(frozen=True)
class Phase:
    """Steps in which the same layers are frozen, with a warm-up and a decay of the rate of their own.

    Attributes:
        number: 1 or 2.
        params: as if the phase were the whole training: `steps`, `freeze` and `learning_rate` are its own.
        first: the steps before it.
        is_last: whether training ends with it.
    """

    number: int
    params: TrainParams
    first: int
    is_last: bool

    @property
    def last(self) -> int:
        """Its last step, counted from 1 over all phases."""
        return self.first + self.params.steps

    @property
    def section(self) -> str:
        """Where params.yaml has its `steps`, `freeze` and `learning_rate`."""
        return "train" if self.number == 1 else "train.second_phase"


def phases_of(train: TrainParams) -> list[Phase]:
    """The one phase of a training, or the two that `train.second_phase` makes.

    In the second, no layer is new any more: all learn at the same rate.
    """
    second = train.second_phase
    if second == "off":
        return [Phase(1, train, 0, is_last=True)]
    own = {"steps": second.steps, "freeze": second.freeze, "learning_rate": second.learning_rate}
    rest = {"second_phase": "off", "decay_steps": None, "new_layer_rate": 1.0}
    return [
        Phase(1, train, 0, is_last=False),
        Phase(2, train.model_copy(update={**own, **rest}), train.steps, is_last=True),
    ]


def total_steps(train: TrainParams) -> int:
    """The steps of all phases."""
    return phases_of(train)[-1].last


def decay_end_step(train: TrainParams) -> int:
    """The step of the first phase at which the learning rate has fallen to 0."""
    return train.decay_steps or train.steps
