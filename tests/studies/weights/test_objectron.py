"""Objectron's detector: every layer has its place in the OD API's network, and the shipped file computes the same."""

from pathlib import Path

import numpy as np
import pytest

from studies.base.materials import read_materials
from studies.objectron import OBJECTRON, split_assets
from studies.packages import Package, unpack
from studies.weights.look import compare
from studies.weights.objectron import read_objectron, to_od_api
from studies.weights.packages import FACE_API, TORCHVISION
from studies.weights.photos import photo_packages
from studies.weights.tflite_convolutions import Convolution
from tasks.detector.restore import plain_name
from tasks.errors import CheckpointError
from tests.detector.small_network import V2_SSD, small_network

FOLDER = Path(__file__).parents[3] / "studies" / "weights"
PACKAGES = FOLDER / "packages"


def layer_names() -> dict[str, bool]:
    """The names in the file -> whether the layer is depthwise."""
    blocks = {
        f"FeatureExtractor/MobilenetV2/expanded_conv{number}/{kind}": kind == "depthwise"
        for number in ("", *(f"_{i}" for i in range(1, 17)))
        for kind in (("expand", "depthwise", "project") if number else ("depthwise", "project"))
    }
    maps = [
        f"layer_19_{kind}"
        for i, depth in ((2, 512), (3, 256), (4, 256), (5, 128))
        for kind in (f"1_Conv2d_{i}_1x1_{depth // 2}", f"2_Conv2d_{i}_3x3_s2_{depth}")
    ]
    plain = [f"FeatureExtractor/MobilenetV2/{name}" for name in ("Conv", "Conv_1", *maps)]
    heads = [f"BoxPredictor_{i}/{kind}" for i in range(6) for kind in ("BoxEncodingPredictor", "ClassPredictor")]
    return blocks | dict.fromkeys([*plain, *heads], False)


def test_the_layers_fill_every_variable_of_the_network() -> None:
    kernel, bias = np.zeros((1, 1, 2, 4), np.float32), np.zeros(4, np.float32)
    arrays = to_od_api({name: Convolution(kernel, bias, depthwise) for name, depthwise in layer_names().items()})

    network = small_network(V2_SSD, side_px=128)
    assert arrays.keys() == {plain_name(variable.name) for variable in network.variables.values()}
    assert len(arrays) == 324


def test_a_layer_of_another_network_is_named() -> None:
    layer = Convolution(np.zeros((1, 1, 2, 4), np.float32), np.zeros(4, np.float32), depthwise=False)
    with pytest.raises(CheckpointError, match="FeatureExtractor/MobilenetV2/Conv_7 is none of SSD MobileNet V2"):
        to_od_api({"FeatureExtractor/MobilenetV2/Conv_7": layer})


def test_assets_are_names_and_a_model(tmp_path: Path) -> None:
    names = ["???", *(f"class {i}" for i in range(9)), "x" * 88]
    head = ("\n".join(names) + "\n").encode()
    (tmp_path / "a.data").write_bytes(head.ljust(184, b"\n")[:184] + b"model")
    with pytest.raises(CheckpointError, match="does not begin with the names"):
        split_assets(tmp_path / "a.data")
    (tmp_path / "a.data").write_bytes(b"???\n" + b"Cat\n" + b"D" * 175 + b"\n" + b"model")
    assert split_assets(tmp_path / "a.data") == (("Cat", "D" * 175), b"model")


@pytest.mark.parametrize("head", [b"", b"\xff" * 200, b"???\nCat\nCat\n", b"Cat\nDog\n"])
def test_other_assets_are_refused(head: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.data").write_bytes(head)
    with pytest.raises(CheckpointError, match=r"a\.data: does not begin with the names of classes"):
        read_objectron(tmp_path / "a.data")


def test_a_broken_model_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.data").write_bytes(b"???\nCat\n" + b"D" * 175 + b"\n" + b"no model at all")
    with pytest.raises(CheckpointError, match=r"a\.data: after the names of classes: not a TFLite model"):
        read_objectron(tmp_path / "a.data")


def test_the_photographs_come_from_the_packages_that_the_base_pins() -> None:
    pinned = {package.name: package for package in read_materials(FOLDER.parent / "base" / "materials.yaml")}
    packages = photo_packages()
    assert len(packages) == 3
    assert all(package.sha256 == pinned[package.name].sha256 for package in packages)


@pytest.mark.parametrize("package", [OBJECTRON, FACE_API, TORCHVISION, *photo_packages()], ids=lambda each: each.name)
def test_the_readme_names_every_package(package: Package) -> None:
    assert package.name in (FOLDER / "README.md").read_text()


def test_the_shipped_file_computes_what_the_packages_model_computes(tmp_path: Path) -> None:
    packages = [OBJECTRON, *photo_packages()]
    if not all((PACKAGES / package.file).is_file() for package in packages):
        pytest.skip(f"needs {', '.join(package.file for package in packages)} in {PACKAGES}")
    photos = unpack(photo_packages(), PACKAGES, tmp_path)
    assert len(photos) == 31
    figures = compare(PACKAGES, tmp_path, 5)
    assert float(str(figures["largest difference of box encodings"])) < 1e-3
    assert float(str(figures["largest difference of class logits"])) < 1e-3
