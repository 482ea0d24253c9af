"""Stage checkpoint: archives of the zoo, whole, damaged and hostile."""

import hashlib
from pathlib import Path

import pytest

from tasks.errors import CheckpointError, ConfigError
from tasks.model.label_map import read_label_map
from tests.stages.checkpoint.sources import (
    ARCHIVE,
    CHECKPOINT_FILES,
    DATA,
    MODEL,
    archive_of,
    described,
    files_in,
    folder_of,
    run,
    zoo_archive,
)


def test_only_the_checkpoint_is_taken_from_the_zoos_archive(base: Path, zoo: str, tmp_path: Path) -> None:
    archive = zoo_archive(tmp_path / "zoo" / ARCHIVE)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()

    figures = run(base, "zoo", zoo_url=f"{zoo}/", sha256=sha256)

    assert files_in(base) == [*CHECKPOINT_FILES, "label_map.pbtxt", "pipeline.config"]
    assert read_label_map(base / "label_map.pbtxt")[:3] == ("person", "bicycle", "car")
    assert (base / "checkpoint/ckpt-0.data-00000-of-00001").read_bytes() == DATA
    assert described(base) == {
        "source": "zoo",
        "kind": "tf_checkpoint",
        "model": MODEL,
        "origin": f"{zoo}/{ARCHIVE}",
        "sha256": sha256,
        "licence": "Apache-2.0 (TensorFlow 2 Detection Model Zoo)",
    }
    assert figures == {"kind": "tf_checkpoint", "origin": f"{zoo}/{ARCHIVE}", "size": "0.5 MB"}
    assert files_in(Path("models/.downloads")) == []


def test_a_users_config_gets_the_zoos_weights_for_its_layers(base: Path, zoo: str, tmp_path: Path) -> None:
    zoo_archive(tmp_path / "zoo" / ARCHIVE)
    Path("configs").mkdir()
    Path("configs/mine.config").write_text(
        "model { ssd { image_resizer { fixed_shape_resizer { height: 256 width: 256 } }\n"
        "feature_extractor { type: 'ssd_mobilenet_v2_fpn_keras' } } }"
    )

    figures = run(base, "zoo", model="configs/mine.config", zoo_url=zoo)

    assert figures["origin"].endswith(ARCHIVE)
    assert described(base)["model"] == "configs/mine.config"


def test_a_checksum_that_differs_leaves_no_base_and_no_archive(base: Path, zoo: str, tmp_path: Path) -> None:
    zoo_archive(tmp_path / "zoo" / ARCHIVE)

    with pytest.raises(CheckpointError, match="SHA-256"):
        run(base, "zoo", zoo_url=zoo, sha256="0" * 64)
    assert files_in(Path("models")) == []


def test_a_hostile_archive_leaves_no_base_and_no_archive(base: Path, zoo: str, tmp_path: Path) -> None:
    zoo_archive(tmp_path / "zoo" / ARCHIVE, extra={"../../../escaped": b"!"})

    with pytest.raises(CheckpointError, match="archive refused"):
        run(base, "zoo", zoo_url=zoo)
    assert files_in(tmp_path) == [f"zoo/{ARCHIVE}"]


def test_an_archive_without_weights_is_refused_with_what_was_looked_for(base: Path, zoo: str, tmp_path: Path) -> None:
    archive_of(tmp_path / "zoo" / ARCHIVE, {"model/saved_model/assets.txt": b"no weights"})

    with pytest.raises(CheckpointError, match=r"checkpoint/ckpt-\*\.index"):
        run(base, "zoo", zoo_url=zoo)


@pytest.mark.parametrize("url", ["file:///tmp", "ftp://127.0.0.1"])
def test_a_zoo_that_is_not_on_http_is_refused(base: Path, url: str) -> None:
    with pytest.raises(CheckpointError, match="not an http"):
        run(base, "zoo", zoo_url=url)


def test_the_error_for_a_missing_archive_names_the_other_sources(base: Path, zoo: str) -> None:
    with pytest.raises(CheckpointError, match=rf"(?s){zoo}/{ARCHIVE}: .*404.*imagenet, none, or the path"):
        run(base, "zoo", zoo_url=zoo)


def test_an_earlier_base_survives_a_failure(base: Path, zoo: str) -> None:
    run(base, "none")

    with pytest.raises(CheckpointError):
        run(base, "zoo", zoo_url=zoo)
    assert described(base)["kind"] == "none"


def test_files_that_a_killed_run_unpacked_are_removed_by_the_next(base: Path) -> None:
    folder_of(Path("models/.base.4711.partial"), "unpacked/checkpoint/ckpt-0.data-00000-of-00001")

    run(base, "none")

    assert files_in(Path("models")) == ["base/base.json"]


def test_a_misspelt_model_is_refused_before_anything_is_fetched(base: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.name"):
        run(base, "zoo", model="ssd_mobilenet", zoo_url="http://127.0.0.1:1")


@pytest.mark.parametrize(("address", "place"), [("/tf2/20200711", "tf2/20210210"), ("/copy", "copy")])
def test_a_model_of_a_later_release_comes_from_its_folder_and_a_copy_of_the_zoo_has_one(
    base: Path, zoo: str, tmp_path: Path, address: str, place: str
) -> None:
    """Its checkpoint lies beside the other files, and has another number."""
    name = "centernet_mobilenetv2fpn_512x512_coco17_od.tar.gz"
    files = {
        "ckpt-301.index": b"index",
        "ckpt-301.data-00000-of-00001": DATA,
        "pipeline.config": b"",
        "model.tflite": b"x",
    }
    (tmp_path / "zoo" / place).mkdir(parents=True)
    archive_of(tmp_path / "zoo" / place / name, {f"mobile/{file}": content for file, content in files.items()})

    figures = run(base, "zoo", model="centernet_mobilenet_v2_fpn_512x512", zoo_url=f"{zoo}{address}")

    assert figures["origin"] == f"{zoo}/{place}/{name}"
    assert (base / "checkpoint/ckpt-0.data-00000-of-00001").read_bytes() == DATA
