"""In words: by what a batch of photos is unlike the training photos."""

from tasks.ground.text import counted
from tasks.metrics.unlike import Comparison, PropertyTest

_LIGHT = {
    "brightness": ("darker", "brighter", 0),
    "sharpness": ("less sharp", "sharper", 3),
}
_MOST = 0.5


def differences_text(comparison: Comparison) -> str:
    """All that is reported, in one line; another look is left out where light or focus explain it."""
    alarms = comparison.alarms
    explained = any(test.property in _LIGHT for test in alarms)
    named = [test for test in alarms if test.property in _LIGHT or test.batch >= _MOST or not explained]
    return "; ".join(difference_text(test, comparison.photos) for test in named)


def difference_text(test: PropertyTest, photos: int) -> str:
    """One difference of a batch of which `photos` were compared."""
    if test.property in _LIGHT:
        lower, higher, digits = _LIGHT[test.property]
        word = lower if test.batch < test.training else higher
        return f"{word} (median {test.property} {test.batch:.{digits}f} against {test.training:.{digits}f} in training)"
    if test.batch >= _MOST:
        far = round(test.batch * photos)
        return (
            f"of something else ({far} of {counted(photos, 'different photo')} are further from every training photo "
            "than 95 of 100 training photos are from each other)"
        )
    return (
        "of another look (they differ from the training photos nearest to them in one direction, as with another "
        "camera, light or place)"
    )
