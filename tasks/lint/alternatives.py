"""What a user could take instead of the configured model: a larger input, another model, a config of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasks.lint.finding import percent
from tasks.model.geometry import ModelGeometry

# The last few boxes cost the most pixels: a size is enough that gains this share of what is possible.
_ENOUGH = 0.8
_MUCH_LEFT = 0.1


@dataclass(frozen=True)
class Alternatives:
    """Other detectors for the same boxes.

    Attributes:
        larger: this model with larger square inputs, by their side in pixels, ascending.
        others: models with other layers, by name.
        set_size: how a size is set, with `{}` for the side.
    """

    larger: Mapping[int, ModelGeometry]
    others: Mapping[str, ModelGeometry]
    set_size: str


def set_size_of(model: str) -> str:
    """How the input size of `model.name` is set, with `{}` for the side."""
    if model.endswith(".config"):
        return "write {0} for both sides in its image_resizer"
    return "set model.side_px: {0}"


def smallest_enough(
    share: Callable[[ModelGeometry], float], geometry: ModelGeometry, larger: Mapping[int, ModelGeometry]
) -> int | None:
    """The smallest of the `larger` sizes that takes away most of a `share` of boxes; None where none lessens it."""
    left = {side_px: share(other) for side_px, other in larger.items()}
    now, least = share(geometry), min(left.values(), default=1.0)
    if least >= now:
        return None
    return min(side_px for side_px, rest in left.items() if now - rest >= _ENOUGH * (now - least))


def remedy(share: Callable[[ModelGeometry], float], geometry: ModelGeometry, alternatives: Alternatives) -> str:
    """What leaves at most half of a `share` of boxes: a larger input, another model, or else a config of one's own."""
    own = (
        "a pipeline.config of your own (configs/README.md) can have other anchors"
        if geometry.has_anchors
        else "photos cut into tiles show the objects larger"
    )
    now = share(geometry)
    side_px = smallest_enough(share, geometry, alternatives.larger)
    if side_px is not None:
        larger = alternatives.larger[side_px]
        left = share(larger)
        if left <= now / 2:
            more = f"; {own}" if left > _MUCH_LEFT else ""
            how = alternatives.set_size.format(side_px)
            return f"{how}, which would leave {percent(left)} of them, for {times_the_time(larger, geometry)}{more}"
    shares = {name: share(other) for name, other in alternatives.others.items()}
    best = min(shares, key=lambda name: shares[name], default="")
    if not best or shares[best] > now / 2:
        return own
    work = _pixels(alternatives.others[best]) / _pixels(geometry)
    more = f"; {own}" if shares[best] > _MUCH_LEFT else ""
    rest = percent(shares[best])
    return f"{best} (model.side_px: null) would leave {rest} of them, with {work:.2g} times the pixels{more}"


def times_the_time(larger: ModelGeometry, geometry: ModelGeometry) -> str:
    """How much longer a step or a detection takes: convolutions, nearly all of the work, grow with the pixels."""
    return f"about {_pixels(larger) / _pixels(geometry):.2g} times the time"


def _pixels(geometry: ModelGeometry) -> int:
    """Pixels of the detector's input."""
    height, width = geometry.resizer.canvas
    return height * width
