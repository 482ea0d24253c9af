"""What a source of weights is asked for, and how it describes what it gave."""

from dataclasses import dataclass

from tasks.artifacts.base import BaseDescription, BaseKind
from tasks.model.definition import ModelDefinition


@dataclass(frozen=True)
class WeightsRequest:
    """Weights for a model.

    Attributes:
        source: `checkpoint.source`.
        model: `model.name`.
        definition: that model, or the one that is closest to a user's own pipeline.config; None where no model is.
    """

    source: str
    model: str
    definition: ModelDefinition | None

    @property
    def is_mobilenet_v2(self) -> bool:
        """Whether the model's backbone is MobileNet V2."""
        return self.definition is not None and self.definition.backbone == "mobilenet_v2"

    def description(
        self, kind: BaseKind, origin: str, *, sha256: str | None = None, licence: str | None = None
    ) -> BaseDescription:
        """What base.json says of weights that this request was answered with."""
        return BaseDescription(
            kind=kind, model=self.model, source=self.source, origin=origin, sha256=sha256, licence=licence
        )

    def no_weights(self) -> BaseDescription:
        """What base.json says where training starts from random numbers."""
        return self.description("none", "random numbers")
