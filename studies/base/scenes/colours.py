"""Colours as photographs have them: mostly muted, some strong; RGB in 0..1."""

import colorsys

import numpy as np
import numpy.typing as npt

Colour = npt.NDArray[np.float32]
Rng = np.random.Generator


def from_hsv(hue: float, saturation: float, value: float) -> Colour:
    """RGB; hues wrap around, the others are cut at 0 and 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return np.array([red, green, blue], dtype=np.float32)


def any_colour(rng: Rng) -> Colour:
    """Any colour; browns, greys and skies more often than a rainbow has them."""
    hue = rng.uniform() if rng.random() < 0.55 else rng.choice([0.08, 0.1, 0.3, 0.58]) + rng.normal(0, 0.03)
    return from_hsv(hue, rng.beta(1.1, 1.8), rng.beta(1.8, 1.4) * 0.95 + 0.03)


def palette(rng: Rng, look: str) -> list[Colour]:
    """Main, second, accent and dark colour of a thing with a family's `look`."""
    if look == "skin":
        return _skin(rng)
    if look == "cell":
        return _stained(rng)
    if look == "plant":
        main = from_hsv(
            rng.normal(0.27, 0.06) if rng.random() < 0.6 else rng.uniform(),
            rng.uniform(0.3, 0.9),
            rng.uniform(0.3, 0.9),
        )
        return [
            main,
            main * rng.uniform(0.55, 0.9),
            any_colour(rng),
            from_hsv(rng.uniform(0.05, 0.3), 0.5, rng.uniform(0.1, 0.35)),
        ]
    if look == "coat" and rng.random() < 0.6:
        main = from_hsv(rng.uniform(0.04, 0.12), rng.uniform(0.05, 0.7), rng.uniform(0.15, 0.9))
        second = main * rng.uniform(0.4, 0.8) if rng.random() < 0.5 else 1 - (1 - main) * rng.uniform(0.2, 0.7)
        return [main, second, any_colour(rng), np.full(3, rng.uniform(0.02, 0.15), np.float32)]
    if look == "hard" and rng.random() < 0.45:
        metal = from_hsv(rng.choice([0.6, 0.1, 0.07]), rng.choice([0.05, 0.1, 0.5]), rng.uniform(0.2, 0.9))
        return [metal, metal * rng.uniform(0.5, 1.1), any_colour(rng), metal * 0.25]
    return _scheme(rng)


def _scheme(rng: Rng) -> list[Colour]:
    main = any_colour(rng)
    hue, saturation, value = colorsys.rgb_to_hsv(*main.tolist())
    related = from_hsv(
        hue + rng.choice([0.0, 0.08, 0.5]), saturation * rng.uniform(0.5, 1.3), value * rng.uniform(0.5, 1.4) + 0.05
    )
    accent = any_colour(rng) if rng.random() < 0.7 else np.full(3, rng.uniform(0.8, 1.0), np.float32)
    return [main, related, accent, np.full(3, rng.uniform(0.03, 0.25), np.float32)]


def _skin(rng: Rng) -> list[Colour]:
    skin = from_hsv(rng.uniform(0.03, 0.09), rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.95))
    if rng.random() < 0.5:
        return [
            skin,
            skin * np.array([0.8, 0.6, 0.6], np.float32),
            np.full(3, 0.92, np.float32),
            from_hsv(0.07, rng.uniform(0, 0.7), rng.uniform(0.03, 0.5)),
        ]
    cloth = [any_colour(rng), any_colour(rng)]
    return [*cloth, skin, from_hsv(0.07, rng.uniform(0, 0.7), rng.uniform(0.03, 0.5))]


def _stained(rng: Rng) -> list[Colour]:
    hue = rng.choice([0.97, 0.0, 0.8, 0.6, 0.12]) + rng.normal(0, 0.03)
    main = from_hsv(hue, rng.uniform(0.15, 0.5), rng.uniform(0.6, 0.95))
    pale = 1 - (1 - main) * rng.uniform(0.2, 0.7)
    return [
        main,
        pale,
        main * rng.uniform(0.6, 0.9),
        from_hsv(rng.uniform(0.68, 0.85), rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.6)),
    ]
