"""The file of one model, results/NAME.json, typed."""

from studies.results import NamedResult
from tasks.artifacts.artifact import Artifact


class SmallRun(Artifact):
    """Five steps on the drawn sample at the smallest input, exported and scored.

    Attributes:
        side_px: of the input.
        seconds: of the five steps with all that surrounds them, export and evaluation included.
        loss: the mean of the steps.
        mAP: of the SavedModel on the test images, in 0..1: after five steps next to nothing, but a number.
        variants: the size of each variant that was written, in 10^6 bytes.
        left_out: why the others were not.
        frozen_variables: by `train.freeze: backbone`, in another five steps from the weights of the first.
        frozen_max_abs_change: the largest change of any of them, moving statistics included; 0 where freezing held.
        restored: of the variables, how many the second training took from the first.
        variables: of the network.
    """

    side_px: int
    seconds: float
    loss: float
    mAP: float | None  # noqa: N815 - the metric's name
    variants: dict[str, float]
    left_out: dict[str, str]
    frozen_variables: int
    frozen_max_abs_change: float
    restored: int
    variables: int


class NativeCost(Artifact):
    """What the model costs at the input size that its name says.

    Attributes:
        side_px: of the input.
        parameters: weights that training can change, and moving statistics, for three classes.
        gflops: floating-point operations of one detection in 10^9, an addition and a multiplication counted as two.
        step_ms: median milliseconds of a training step with nothing frozen.
        batch_size: images of that step.
        peak_memory_mb: the most memory of the process that trained, in 10^6 bytes.
        detection_ms: median milliseconds of one photo through the network and its post-processing.
    """

    side_px: int
    parameters: int
    gflops: float
    step_ms: float
    batch_size: int
    peak_memory_mb: float
    detection_ms: float


class ModelResult(NamedResult):
    """One model.

    Attributes:
        model: its name in params.yaml.
        code: the version of the code that it was run with.
        cores: of the machine.
    """

    model: str
    code: str
    cores: int
    small: SmallRun
    native: NativeCost

    @property
    def key(self) -> str:
        """Its name among results."""
        return self.model
