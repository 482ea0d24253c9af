"""The card of the packed base: how it was made, what was measured, on what terms; as JSON and for people."""

from studies.base.params import DrawnScenes
from tasks.artifacts.artifact import Artifact
from tasks.params import TrainParams


class Making(Artifact):
    """How the base was made: nothing here depends on a clock, a machine or git.

    Attributes:
        model: the detector that was trained.
        generator_sha256: of the code that draws scenes.
        params_sha256: of all params that the weights depend on.
        scenes: what was drawn.
        boxes: those that passed the gate.
        train: how it was trained.
    """

    model: str
    generator_sha256: str
    params_sha256: str
    scenes: DrawnScenes
    boxes: int
    train: TrainParams


class Measurement(Artifact):
    """What was measured; `what` says on which images, `best_mAP` is in 0..1 or None where nothing was validated."""

    what: str
    best_mAP: float | None  # noqa: N815 - the metric's name
    best_step: int
    loss: float


class Card(Artifact):
    """What the file of weights is.

    Attributes:
        name: of the file, without its ending.
        origin, licence: for people.
        sha256, bytes: of the file.
        arrays, parameters: how many it holds.
        float32_arrays: keys of those that are not float16.
        made, measured: see there.
    """

    name: str
    origin: str
    licence: str
    sha256: str
    bytes: int
    arrays: int
    float32_arrays: list[str]
    parameters: int
    made: Making
    measured: Measurement

    def markdown(self) -> str:
        """The card for people."""
        made, measured = self.made, self.measured
        drawn, train = made.scenes, made.train
        score = "not measured" if measured.best_mAP is None else f"mAP {measured.best_mAP:.3f}"
        return f"""# {self.name}

Backbone, feature pyramid, tower and box head of `{made.model}`,
{self.origin}.
Its scenes are cut-outs pasted before photographs; studies/base/README.md names the packages that
both are from. No person drew a box. The class head is left out.

- **For** `ssd_mobilenet_v2_fpnlite` at 320 and 640 px: `checkpoint.source: base`.
- **How** {drawn.count} scenes of {drawn.side_px} px (seed {drawn.seed}, {drawn.photo_share:.0%}
  before photographs) with {made.boxes} boxes; {train.steps} steps of batch {train.batch_size},
  {train.optimizer}, learning rate {train.learning_rate:g}, new layers
  {train.new_layer_rate:g} times that, frozen: {train.freeze}.
- **Measured** {score} after {measured.best_step} steps, {measured.what}.
- **File** {self.bytes} bytes, {self.arrays} arrays, {self.parameters} parameters, float16 but for
  {len(self.float32_arrays)} arrays. SHA-256 `{self.sha256}`.
- **Generator** SHA-256 `{made.generator_sha256}`; **params** `{made.params_sha256}`.
- **Licence** {self.licence}.
"""
