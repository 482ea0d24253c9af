"""The detector in MediaPipe's npm package `@mediapipe/objectron`: its class names and its TFLite file.

It is the OD API's SSD MobileNet V2 at 300 px, trained on 23 classes of Open Images, before any post-processing. The
package's one file of assets has the names, a line each, and then the TFLite file.
"""

from pathlib import Path

from studies.packages import Package
from tasks.errors import CheckpointError
from tasks.ground.files import read_small

OBJECTRON = Package(
    name="@mediapipe/objectron",
    version="0.4.1675468480",
    registry="npm",
    file="mediapipe-objectron-0.4.1675468480.tgz",
    sha256="fc3e37b326b05e8f596099c90b3e0931b05a56cd3160b9ac450b621794bac94c",
    paths=["package/objectron_solution_packed_assets.data"],
    without=[],
)
_MAX_BYTES = 50_000_000
# Where the names end and the TFLite file begins.
_MODEL_START = 184
_BACKGROUND = "???"


def split_assets(file: Path) -> tuple[tuple[str, ...], bytes]:
    """The names of the classes, without background, and the TFLite file's content.

    Raises:
        CheckpointError: the file is too short or too long, or begins with something else than names.
    """
    content = read_small(file, _MAX_BYTES, "Objectron's assets")
    try:
        background, *names = content[:_MODEL_START].decode("utf-8").splitlines()
    except (UnicodeDecodeError, ValueError) as error:
        raise CheckpointError(f"{file}: does not begin with the names of classes; get it again") from error
    if background != _BACKGROUND or not names or len(set(names)) < len(names) or not all(names):
        raise CheckpointError(f"{file}: does not begin with the names of classes; get it again")
    return tuple(names), content[_MODEL_START:]
