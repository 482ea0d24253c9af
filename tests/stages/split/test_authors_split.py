"""Stage split: a split that the data came with; it is kept, repaired, ignored, or its leaks are dropped."""

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
from tests.stages.split.splitting import authors_images, hashed, run, similar_to, splits_of


def test_the_authors_split_is_kept_and_its_leaks_are_listed(tmp_path, capsys):
    copies = {"sha256": "f" * 64}
    images = [
        *authors_images("train", range(20)),
        *authors_images("test", range(20, 26)),
        *authors_images("train", [90], **copies),
    ]
    run(tmp_path, [*images, *authors_images("test", [91], **copies)], val_fraction=0.0)
    assert all(name.startswith(split) for name, split in splits_of(tmp_path).items())
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == [
        {"train": "train/090.jpg", "test": "test/091.jpg", "differing_bits": 0, "same_content": True}
    ]
    assert "train/090.jpg (train), test/091.jpg (test): the same content" in capsys.readouterr().out
    run(tmp_path, [*images, *authors_images("test", [91], **copies)], val_fraction=0.0, author_split="repair")
    assert splits_of(tmp_path)["train/090.jpg"] == "test"
    assert json.loads((tmp_path / "split.json").read_text())["leaks"] == 0


@pytest.fixture
def crossed():
    """Forty different images that the author split, and groups of similar ones, most of them in several splits."""
    splits = ["train"] * 24 + ["val"] * 8 + ["test"] * 8
    different = [similar_to(number, 0, split) for number, split in enumerate(splits, start=10)]
    similar = {
        "train like test": [(1, 0, "test"), (1, 20, "train")],
        "val like test": [(2, 0, "test"), (2, 20, "val")],
        "train like val": [(3, 0, "val"), (3, 20, "train")],
        "train like train like test": [(4, 0, "test"), (4, 50, "train"), (4, 100, "train")],
        "test like test": [(5, 0, "test"), (5, 20, "test")],
    }
    return [*different, *(similar_to(*one) for group in similar.values() for one in group)]


def test_drop_keeps_the_test_split_and_removes_images_similar_to_it_from_train_and_val(tmp_path, crossed):
    run(tmp_path, crossed)
    before = splits_of(tmp_path)
    assert run(tmp_path, crossed, author_split="drop") == {"train": 24, "val": 9, "test": 13, "dropped": 5}
    after = splits_of(tmp_path)
    gone = {"train/1020.jpg", "val/2020.jpg", "train/3020.jpg", "train/4050.jpg", "train/4100.jpg"}
    assert before.keys() - after.keys() == gone
    assert after == {name: split for name, split in before.items() if name not in gone}
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == []


def test_each_dropped_image_is_listed_with_the_most_similar_image(tmp_path, crossed, capsys):
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
    assert "5 images are in no split, because they are similar to images in test or val:" in printed
    assert "  train/1020.jpg (train): similar to test/1000.jpg (test), 20 of 256 bits differ" in printed


@pytest.mark.parametrize("mode", ["keep", "repair", "ignore"])
def test_every_image_is_in_a_split_unless_drop_is_asked_for(tmp_path, crossed, mode):
    assert sum(run(tmp_path, crossed, author_split=mode).values()) == len(crossed)
    assert json.loads((tmp_path / "splits" / "dropped.json").read_text()) == []
    assert "dropped" not in json.loads((tmp_path / "split.json").read_text())


def test_a_missing_split_is_made_from_the_images_that_were_not_dropped(tmp_path, crossed):
    unvalidated = [replace(one, given_split=one.given_split.replace("val", "train")) for one in crossed]
    assert run(tmp_path, unvalidated, author_split="drop") == {"train": 29, "val": 5, "test": 13, "dropped": 4}
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == []


def test_a_dropped_image_returns_to_its_split_when_it_is_no_longer_dropped(tmp_path, crossed):
    unvalidated = [replace(one, given_split=one.given_split.replace("val", "train")) for one in crossed]
    run(tmp_path, unvalidated)
    before = splits_of(tmp_path)
    run(tmp_path, unvalidated, author_split="drop")
    dropped = before.keys() - splits_of(tmp_path).keys()
    run(tmp_path, unvalidated)
    after = splits_of(tmp_path)
    assert len(dropped) == 4
    assert {name: after[name] for name in dropped} == {name: before[name] for name in dropped}


def test_an_image_that_was_never_in_a_split_is_not_remembered(tmp_path, crossed):
    run(tmp_path, crossed, author_split="drop")
    remembered = json.loads((tmp_path / "splits.json").read_text())["parts"]
    assert {split: len(keys) for split, keys in remembered.items()} == {"train": 24, "val": 9, "test": 13}


def test_dropping_every_training_image_is_an_error(tmp_path):
    images = [similar_to(number, 20 * (split == "train"), split) for number in range(10) for split in ("train", "test")]
    with pytest.raises(DataError, match="drop leaves nothing to train on"):
        run(tmp_path, images, author_split="drop")
    assert not (tmp_path / "splits").exists()


def test_neighbouring_frames_that_are_near_duplicates_too_are_counted_as_one_leak(tmp_path):
    frames = [
        replace(hashed(1, 20 * (split == "test")), file_name=f"clip/{number}.jpg", given_split=split)
        for number, split in enumerate(("train", "test"))
    ]
    run(tmp_path, [*authors_images("train", range(20)), *frames], val_fraction=0.0)
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == [
        {"train": "clip/0.jpg", "test": "clip/1.jpg", "differing_bits": 20, "same_content": False}
    ]


def test_a_split_that_the_author_did_not_make_is_taken_from_train(tmp_path):
    run(tmp_path, [*authors_images("train", range(40)), *authors_images("test", range(40, 50))], val_fraction=0.25)
    splits = list(splits_of(tmp_path).values())
    assert {split: splits.count(split) for split in ("train", "val", "test")} == {
        "train": 30,
        "val": 10,
        "test": 10,
    }


def test_a_split_taken_from_train_keeps_its_images_when_others_come(tmp_path):
    run(tmp_path, [*authors_images("train", range(40)), *authors_images("test", range(100, 110))])
    before = splits_of(tmp_path)
    run(tmp_path, [*authors_images("train", range(80)), *authors_images("test", range(100, 110))])
    after = splits_of(tmp_path)
    assert {name: after[name] for name in before} == before


def test_ignore_assigns_all_images_anew(tmp_path):
    images = [*authors_images("train", range(40)), *authors_images("test", range(40, 80))]
    assert run(tmp_path, images, author_split="ignore") == {"train": 52, "val": 12, "test": 16}


@needs_datasets
def test_the_three_copies_in_train_and_test_of_real_data_are_found_dropped_and_repaired(tmp_path, capsys):
    source = DATASETS / "ppe_covid"
    params = read_params(Path(__file__).parents[3] / "params.yaml")
    ingest_params = params.ingest.model_copy(update={"source": source / "annotations", "images": source / "images"})
    ingest(ingest_params, ingested=tmp_path / "ingested.json")
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
