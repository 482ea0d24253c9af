"""Stage split: a split that the data came with, kept, dropped from, repaired or ignored."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.dataset.coco_json import read_coco
from tasks.errors import DataError
from tasks.params import read_params
from tasks.stages.ingest import ingest
from tasks.stages.validate import validate
from tests.real_data import DATASETS, needs_datasets
from tests.stages.split.dealing import given_to, hashed, looking_like, parts_of, run


def test_the_authors_split_is_kept_and_what_crosses_it_is_told(tmp_path, capsys):
    copies = {"sha256": "f" * 64}
    images = [*given_to("train", range(20)), *given_to("test", range(20, 26)), *given_to("train", [90], **copies)]
    run(tmp_path, [*images, *given_to("test", [91], **copies)], val_fraction=0.0)
    assert all(name.startswith(part) for name, part in parts_of(tmp_path).items())
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == [
        {"train": "train/090.jpg", "test": "test/091.jpg", "differing_bits": 0, "same_content": True}
    ]
    assert "train/090.jpg (train), test/091.jpg (test): the same content" in capsys.readouterr().out
    run(tmp_path, [*images, *given_to("test", [91], **copies)], val_fraction=0.0, author_split="repair")
    assert parts_of(tmp_path)["train/090.jpg"] == "test"
    assert json.loads((tmp_path / "split.json").read_text())["leaks"] == 0


@pytest.fixture
def crossed():
    """Forty images that the author dealt out, and some beside them that look alike, most of them across the parts."""
    parts = ["train"] * 24 + ["val"] * 8 + ["test"] * 8
    alone = [looking_like(number, 0, part) for number, part in enumerate(parts, start=10)]
    alike = {
        "train like test": [(1, 0, "test"), (1, 20, "train")],
        "val like test": [(2, 0, "test"), (2, 20, "val")],
        "train like val": [(3, 0, "val"), (3, 20, "train")],
        "train like train like test": [(4, 0, "test"), (4, 50, "train"), (4, 100, "train")],
        "test like test": [(5, 0, "test"), (5, 20, "test")],
    }
    return [*alone, *(looking_like(*one) for group in alike.values() for one in group)]


def test_dropping_leaves_the_test_part_as_it_came_and_takes_what_looks_alike_out_of_training(tmp_path, crossed):
    run(tmp_path, crossed)
    before = parts_of(tmp_path)
    assert run(tmp_path, crossed, author_split="drop") == {"train": 24, "val": 9, "test": 13, "dropped": 5}
    after = parts_of(tmp_path)
    gone = {"train/1020.jpg", "val/2020.jpg", "train/3020.jpg", "train/4050.jpg", "train/4100.jpg"}
    assert before.keys() - after.keys() == gone
    assert after == {name: part for name, part in before.items() if name not in gone}
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == []


def test_each_dropped_image_is_listed_with_what_it_looks_most_like(tmp_path, crossed, capsys):
    run(tmp_path, crossed, author_split="drop")
    rows = json.loads((tmp_path / "splits" / "dropped.json").read_text())
    assert [(row["image"], row["given_split"], row["like"], row["like_in"], row["differing_bits"]) for row in rows] == [
        ("train/1020.jpg", "train", "test/1000.jpg", "test", 20),
        ("train/3020.jpg", "train", "val/3000.jpg", "val", 20),
        ("train/4050.jpg", "train", "test/4000.jpg", "test", 50),
        ("train/4100.jpg", "train", "train/4050.jpg", "dropped", 50),
        ("val/2020.jpg", "val", "test/2000.jpg", "test", 20),
    ]
    assert json.loads((tmp_path / "split.json").read_text())["dropped"] == {
        "images": 5,
        "boxes": {"a": 5, "b": 0, "c": 0},
    }
    printed = capsys.readouterr().out
    assert ["dropped", "5", "5", "5", "0", "0"] in [line.split() for line in printed.splitlines()]
    assert "5 images are in no part, because they look like images in test or val:" in printed
    assert "  train/1020.jpg (train): like test/1000.jpg (test), 20 of 256 bits differ" in printed


@pytest.mark.parametrize("mode", ["keep", "repair", "ignore"])
def test_no_image_is_in_no_part_unless_it_is_asked_for(tmp_path, crossed, mode):
    assert sum(run(tmp_path, crossed, author_split=mode).values()) == len(crossed)
    assert json.loads((tmp_path / "splits" / "dropped.json").read_text()) == []
    assert "dropped" not in json.loads((tmp_path / "split.json").read_text())


def test_a_part_is_cut_from_what_is_left_after_dropping(tmp_path, crossed):
    unvalidated = [replace(one, given_split=one.given_split.replace("val", "train")) for one in crossed]
    assert run(tmp_path, unvalidated, author_split="drop") == {"train": 29, "val": 5, "test": 13, "dropped": 4}
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == []


def test_a_dropped_image_has_its_part_again_when_it_is_no_longer_dropped(tmp_path, crossed):
    unvalidated = [replace(one, given_split=one.given_split.replace("val", "train")) for one in crossed]
    run(tmp_path, unvalidated)
    before = parts_of(tmp_path)
    run(tmp_path, unvalidated, author_split="drop")
    dropped = before.keys() - parts_of(tmp_path).keys()
    run(tmp_path, unvalidated)
    after = parts_of(tmp_path)
    assert len(dropped) == 4
    assert {name: after[name] for name in dropped} == {name: before[name] for name in dropped}


def test_an_image_that_was_never_in_a_part_is_not_remembered(tmp_path, crossed):
    run(tmp_path, crossed, author_split="drop")
    remembered = json.loads((tmp_path / "splits.json").read_text())["parts"]
    assert {part: len(keys) for part, keys in remembered.items()} == {"train": 24, "val": 9, "test": 13}


def test_dropping_all_that_is_to_be_learned_from_is_an_error(tmp_path):
    images = [looking_like(number, 20 * (part == "train"), part) for number in range(10) for part in ("train", "test")]
    with pytest.raises(DataError, match="drop leaves nothing to train on"):
        run(tmp_path, images, author_split="drop")
    assert not (tmp_path / "splits").exists()


def test_neighbouring_frames_that_are_near_duplicates_too_are_one_leak(tmp_path):
    frames = [
        replace(hashed(1, 20 * (part == "test")), file_name=f"clip/{number}.jpg", given_split=part)
        for number, part in enumerate(("train", "test"))
    ]
    run(tmp_path, [*given_to("train", range(20)), *frames], val_fraction=0.0)
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == [
        {"train": "clip/0.jpg", "test": "clip/1.jpg", "differing_bits": 20, "same_content": False}
    ]


def test_a_part_that_the_author_did_not_make_is_cut_from_train(tmp_path):
    run(tmp_path, [*given_to("train", range(40)), *given_to("test", range(40, 50))], val_fraction=0.25)
    parts = parts_of(tmp_path)
    assert {part: list(parts.values()).count(part) for part in ("train", "val", "test")} == {
        "train": 30,
        "val": 10,
        "test": 10,
    }


def test_a_part_cut_from_train_keeps_its_images_too(tmp_path):
    run(tmp_path, [*given_to("train", range(40)), *given_to("test", range(100, 110))])
    before = parts_of(tmp_path)
    run(tmp_path, [*given_to("train", range(80)), *given_to("test", range(100, 110))])
    after = parts_of(tmp_path)
    assert {name: after[name] for name in before} == before


def test_an_ignored_split_is_dealt_anew(tmp_path):
    images = [*given_to("train", range(40)), *given_to("test", range(40, 80))]
    assert run(tmp_path, images, author_split="ignore") == {"train": 52, "val": 12, "test": 16}


@needs_datasets
def test_the_three_copies_across_the_split_of_real_data_are_found_dropped_and_repaired(tmp_path, capsys):
    source = DATASETS / "ppe_covid"
    params = read_params(Path(__file__).parents[3] / "params.yaml")
    taken = params.ingest.model_copy(update={"source": source / "annotations", "images": source / "images"})
    ingest(taken, ingested=tmp_path / "ingested.json")
    validate(
        params.validate_,
        params.model,
        ingested=tmp_path / "ingested.json",
        validated=tmp_path / "all.json",
        metrics_data=tmp_path / "data.json",
    )
    images = read_coco(tmp_path / "all.json").images
    run(tmp_path, images, classes=read_coco(tmp_path / "all.json").classes)
    leaks = json.loads((tmp_path / "splits" / "leaks.json").read_text())
    copies = {(row["train"], row["test"]) for row in leaks if row["same_content"]}
    assert copies == {
        ("train/hv.jpg", "test/saf.jpg"),
        ("train/kio.jpg", "test/ujfffff.jpg"),
        ("train/gwrht.jpg", "test/vdvn.jpg"),
    }
    assert len(leaks) > len(copies)
    tested = read_coco(tmp_path / "splits" / "test.json")
    run(tmp_path, images, classes=read_coco(tmp_path / "all.json").classes, author_split="drop")
    assert [image.file_name for image in read_coco(tmp_path / "splits" / "test.json").images] == [
        image.file_name for image in tested.images
    ]
    dropped = json.loads((tmp_path / "splits" / "dropped.json").read_text())
    assert copies <= {(row["image"], row["like"]) for row in dropped}
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == []
    run(tmp_path, images, classes=read_coco(tmp_path / "all.json").classes, author_split="repair")
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == []
