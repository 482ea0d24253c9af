import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.annotation.boxes import as_boxes
from tasks.annotation.dataset import AnnotatedImage, Dataset, flags
from tasks.annotation.stratify import deal
from tasks.errors import DataError, FormatError
from tasks.formats.coco import read_coco, write_coco
from tasks.ingest import ingest
from tasks.params import SplitParams, read_params
from tasks.split import split
from tasks.validate import validate

CLASSES = ("a", "b", "c")
DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
needs_datasets = pytest.mark.skipif(not DATASETS.is_dir(), reason="the real data sets are not beside the repository")


def image(number, classes="a", content=""):
    n = len(classes)
    boxes = as_boxes([[0, 0, 5, 5]] * n)
    return AnnotatedImage(
        f"{number:03d}.jpg", 10, 10, boxes, tuple(classes), flags(n), flags(n), sha256=content or f"{number:064x}"
    )


def run(tmp_path, images, classes=CLASSES, **values):
    write_coco(Dataset(Path("images"), classes, tuple(images)), tmp_path / "validated.json")
    usual = {"seed": 1, "val_fraction": 0.15, "test_fraction": 0.2, "near_duplicate_distance": 60}
    params = SplitParams(**{**usual, "frame_run_distance": 90, "author_split": "keep", **values})
    return split(
        params,
        validated=tmp_path / "validated.json",
        splits=tmp_path / "splits",
        metrics_split=tmp_path / "split.json",
        plots_data=tmp_path / "plots",
        split_memory=tmp_path / "splits.json",
    )


def test_rows_for_plots_hold_each_class_and_every_box(tmp_path):
    run(tmp_path, [image(i, "ab" if i % 2 else "a") for i in range(20)])
    classes = json.loads((tmp_path / "plots" / "class_counts.json").read_text())
    assert [(row["class"], row["images"], row["boxes"]) for row in classes] == [
        ("a", 20, 20),
        ("b", 10, 10),
        ("c", 0, 0),
    ]
    assert all(row["boxes"] == row["train"] + row["val"] + row["test"] for row in classes)
    sizes = json.loads((tmp_path / "plots" / "box_sizes.json").read_text())
    assert {row["side"]: row["boxes"] for row in sizes if row["boxes"]} == {"48-64 %": 30}


def parts_of(tmp_path):
    """The part of each image, by file name."""
    return {
        image.file_name: name
        for name in ("train", "val", "test")
        for image in read_coco(tmp_path / "splits" / f"{name}.json").images
    }


def hashed(number, flipped, classes="a"):
    """An image whose perceptual hash is that of `number`, with the first `flipped` bits turned over."""
    bits = np.random.default_rng(number).integers(0, 2, 256)
    bits[:flipped] = 1 - bits[:flipped]
    return replace(image(number * 1000 + flipped, classes), perceptual_hash=np.packbits(bits).tobytes().hex())


def test_three_coco_files_are_written_with_the_classes_and_root_of_the_whole(tmp_path):
    figures = run(tmp_path, [image(i, "ac") for i in range(20)])
    assert figures == {"train": 13, "val": 3, "test": 4}
    for name, count in figures.items():
        part = read_coco(tmp_path / "splits" / f"{name}.json")
        assert (part.classes, part.root, len(part.images)) == (CLASSES, Path("images"), count)
        assert part.images[0].classes == ("a", "c")


def test_a_second_run_writes_the_same_bytes(tmp_path):
    def written():
        run(tmp_path, [image(i, CLASSES[i % 3]) for i in range(30)])
        return {path.name: path.read_bytes() for path in (tmp_path / "splits").iterdir()}

    assert written() == written()


def test_a_table_shows_what_each_part_holds(tmp_path, capsys):
    run(tmp_path, [image(i, "ab") for i in range(20)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[:4] == [
        ["part", "images", "boxes", "a", "b", "c"],
        ["train", "13", "26", "13", "13", "0"],
        ["val", "3", "6", "3", "3", "0"],
        ["test", "4", "8", "4", "4", "0"],
    ]


def test_a_class_that_a_part_lacks_is_warned_of(tmp_path, capsys):
    run(tmp_path, [image(i, "abc" if i == 0 else "ab") for i in range(20)])
    printed = capsys.readouterr().out
    assert "warning: no c in val" in printed
    assert "warning: no c in test" in printed
    assert "in train" not in printed


def test_a_fraction_of_0_gives_an_empty_part_and_says_so(tmp_path, capsys):
    assert run(tmp_path, [image(i) for i in range(16)], val_fraction=0.0, test_fraction=0.0) == {
        "train": 16,
        "val": 0,
        "test": 0,
    }
    assert read_coco(tmp_path / "splits" / "test.json").images == ()
    printed = capsys.readouterr().out
    assert "val is empty, as asked for" in printed
    assert "no figures will come of it" in printed
    assert "few-images" not in printed


@pytest.mark.parametrize("fractions", [{}, {"val_fraction": 0.0}, {"val_fraction": 0.49, "test_fraction": 0.02}])
@pytest.mark.parametrize("count", [1, 5, 15])
def test_of_few_images_none_is_kept_from_training_whatever_the_fractions(tmp_path, capsys, count, fractions):
    assert run(tmp_path, [image(i) for i in range(count)], **fractions) == {"train": count, "val": 0, "test": 0}
    printed = capsys.readouterr().out
    uncut = "no test part" if fractions == {"val_fraction": 0.0} else "no val and no test part"
    assert f"warning: {count} images in all: {uncut} is cut from fewer than 16. Look at" in printed
    assert "python -m studies.leave_one_out (docs/few-images.md)" in printed
    assert "note: test is empty: no figures will come of it" in printed


def test_of_one_image_more_parts_are_cut(tmp_path, capsys):
    assert run(tmp_path, [image(i) for i in range(16)]) == {"train": 11, "val": 2, "test": 3}
    assert "few-images" not in capsys.readouterr().out


def test_nothing_is_warned_of_where_few_images_are_all_learned_from_as_asked_for(tmp_path, capsys):
    run(tmp_path, [image(i, "abc") for i in range(5)], val_fraction=0.0, test_fraction=0.0)
    printed = capsys.readouterr().out
    assert "warning" not in printed
    assert "note: 5 images in all: docs/few-images.md says how to see" in printed


def test_a_split_that_few_images_came_with_is_kept_and_no_part_added(tmp_path, capsys):
    images = [*given_to("train", range(9)), *given_to("test", range(9, 12))]
    assert run(tmp_path, images) == {"train": 9, "val": 0, "test": 3}
    printed = capsys.readouterr().out
    assert "no val part is cut from fewer than 16, and figures of 3 test images say next to nothing" in printed
    assert run(tmp_path, images, author_split="ignore") == {"train": 12, "val": 0, "test": 0}


def test_images_that_were_too_few_are_dealt_anew_when_others_come(tmp_path):
    run(tmp_path, [image(i) for i in range(15)])
    assert run(tmp_path, [image(i) for i in range(18)]) == {"train": 11, "val": 3, "test": 4}


@pytest.mark.parametrize(
    ("count", "val", "test", "needed"),
    [(20, 0.15, 0.02, 25), (16, 0.02, 0.2, 25), (0, 0.15, 0.2, 1), (20, 0.49, 0.49, 51)],
    ids=["a small fraction", "a small fraction to validate", "no image", "none to train on"],
)
def test_too_few_images_for_a_fraction_say_how_many_are_needed(tmp_path, count, val, test, needed):
    with pytest.raises(DataError, match=f"at least {needed} images"):
        run(tmp_path, [image(i) for i in range(count)], val_fraction=val, test_fraction=test)
    assert not (tmp_path / "splits").exists()
    shares = {"train": 1 - val - test, "val": val, "test": test} if count else {"train": 1.0}
    assert "train" in deal([[image(i)] for i in range(needed)], CLASSES, shares, seed=1, kept={})


def test_copies_do_not_count_as_images(tmp_path):
    with pytest.raises(DataError, match="only 2 different ones"):
        run(tmp_path, [image(i, content=f"{i % 2:064x}") for i in range(20)])


def test_images_that_look_alike_stay_together(tmp_path):
    images = [hashed(number, flipped) for number in range(20) for flipped in (0, 30, 60)]
    run(tmp_path, images)
    parts = parts_of(tmp_path)
    for number in range(20):
        assert len({part for name, part in parts.items() if int(name[:-4]) // 1000 == number}) == 1
    figures = json.loads((tmp_path / "split.json").read_text())
    assert (figures["groups"], figures["largest_group"], figures["alike_images"], figures["leaks"]) == (20, 3, 60, 0)


def test_neighbours_in_a_run_of_frames_stay_together_at_a_larger_distance(tmp_path):
    frames = [replace(hashed(1, 35 * i), file_name=f"clip/frame{i:04d}.jpg") for i in range(6)]
    other = [hashed(number, 0) for number in range(2, 32)]
    run(tmp_path, [*frames, *other], near_duplicate_distance=0)
    parts = parts_of(tmp_path)
    assert len({parts[frame.file_name] for frame in frames}) == 1
    assert json.loads((tmp_path / "split.json").read_text())["largest_group"] == 6
    run(tmp_path, [*frames, *other], near_duplicate_distance=0, frame_run_distance=0)
    assert json.loads((tmp_path / "split.json").read_text())["groups"] == 36


@pytest.mark.parametrize("seed", range(5))
def test_an_image_keeps_its_part_when_others_come(tmp_path, seed):
    run(tmp_path, [image(i, "ab"[i % 2]) for i in range(40)], seed=seed)
    before = parts_of(tmp_path)
    more = [image(i, "abc"[i % 3]) for i in range(90)]
    run(tmp_path, more, seed=seed)
    after = parts_of(tmp_path)
    assert {name: after[name] for name in before} == before
    assert sum(part == "test" for part in after.values()) == 18


def test_what_looks_like_a_tested_image_is_tested_too(tmp_path):
    old = [hashed(number, 0) for number in range(30)]
    run(tmp_path, old)
    before = parts_of(tmp_path)
    tested = next(name for name, part in before.items() if part == "test")
    learned = next(name for name, part in before.items() if part == "train")
    # A new image that looks like one of each: it ties them together.
    run(tmp_path, [*old, hashed(int(tested[:-4]) // 1000, 20)])
    assert parts_of(tmp_path)[f"{int(tested[:-4]) + 20:03d}.jpg"] == "test"
    copy = next(image for image in old if image.file_name == learned)
    run(tmp_path, [*old, replace(copy, file_name="copy.jpg")])
    assert parts_of(tmp_path)["copy.jpg"] == "train"


def test_another_seed_or_fraction_deals_anew(tmp_path):
    images = [image(i) for i in range(40)]
    run(tmp_path, images)
    before = parts_of(tmp_path)
    run(tmp_path, images, seed=2)
    assert parts_of(tmp_path) != before
    run(tmp_path, images)
    assert parts_of(tmp_path) == before


def test_images_of_another_data_set_are_forgotten(tmp_path):
    run(tmp_path, [image(i) for i in range(40)])
    run(tmp_path, [image(i) for i in range(100, 140)])
    memory = json.loads((tmp_path / "splits.json").read_text())
    assert sum(map(len, memory["parts"].values())) == 40


@pytest.mark.parametrize("content", ["", "[]", '{"rule": {}}', '{"rule": {}, "parts": {"train": 3}}'])
def test_a_damaged_memory_is_an_error_and_not_a_new_deal(tmp_path, content):
    (tmp_path / "splits.json").write_text(content)
    with pytest.raises(FormatError, match=r"splits\.json: not a list of parts"):
        run(tmp_path, [image(i) for i in range(40)])
    assert (tmp_path / "splits.json").read_text() == content


def given_to(part, numbers, **values):
    return [replace(image(i), file_name=f"{part}/{i:03d}.jpg", given_part=part, **values) for i in numbers]


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


def looking_like(number, flipped, part):
    """An image that the author put in `part`; `number` and `flipped` as `hashed` takes them."""
    found = hashed(number, flipped)
    return replace(found, file_name=f"{part}/{found.file_name}", given_part=part)


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
    assert [(row["image"], row["given_part"], row["like"], row["like_in"], row["differing_bits"]) for row in rows] == [
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
    unvalidated = [replace(one, given_part=one.given_part.replace("val", "train")) for one in crossed]
    assert run(tmp_path, unvalidated, author_split="drop") == {"train": 29, "val": 5, "test": 13, "dropped": 4}
    assert json.loads((tmp_path / "splits" / "leaks.json").read_text()) == []


def test_a_dropped_image_has_its_part_again_when_it_is_no_longer_dropped(tmp_path, crossed):
    unvalidated = [replace(one, given_part=one.given_part.replace("val", "train")) for one in crossed]
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
        replace(hashed(1, 20 * (part == "test")), file_name=f"clip/{number}.jpg", given_part=part)
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
    params = read_params(Path(__file__).parents[1] / "params.yaml")
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
