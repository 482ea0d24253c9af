"""The meta-architectures that can be trained, by the name of their message."""

from typing import TYPE_CHECKING, Any, Protocol

from tasks.detector.model_settings import center_net, faster_rcnn, ssd

if TYPE_CHECKING:
    from tasks.params import ExportParams, TrainParams


class ModelSettings(Protocol):
    """What each module of this package has; `model` is the message of its meta-architecture."""

    def why_unsupported(self, model: Any) -> str | None:
        """The first reason why this pipeline cannot train the model; None where it can."""

    def fill_in_model(self, model: Any, train: "TrainParams", export: "ExportParams") -> None:
        """Put the values of params.yaml that are about losses and detections into the message.

        Raises:
            ConfigError: the params are of a loss, and the model has another.
        """

    def loss_settings(self, model: Any) -> dict[str, str]:
        """The settings of the losses that params.yaml replaces where it has them, in words."""

    def settings_without_effect(self, model: Any) -> dict[str, str]:
        """The params that the model makes nothing of, and why."""


KINDS: dict[str, ModelSettings] = {"ssd": ssd, "center_net": center_net, "faster_rcnn": faster_rcnn}
