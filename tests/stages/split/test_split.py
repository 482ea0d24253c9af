"""Stage split: what it writes, and that images keep their split."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.dataset.split_files import read_coco_split
from tasks.errors import FormatError
from tasks.partition.memory import read_split_memory
from tests.stages.split.splitting import CLASSES, hashed, image, run, splits_of


def test_the_rows_for_plots_count_every_class_and_every_box(tmp_path):
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


def test_each_split_is_a_coco_file_with_the_classes_and_root_of_the_data_set(tmp_path):
    figures = run(tmp_path, [image(i, "ac") for i in range(20)])
    assert figures == {"train": 13, "val": 3, "test": 4}
    for name, count in figures.items():
        dataset = read_coco_split(tmp_path / "splits", name)
        assert (dataset.classes, dataset.root, len(dataset.images)) == (CLASSES, Path("images"), count)
        assert dataset.images[0].classes == ("a", "c")


def test_a_second_run_writes_the_same_bytes(tmp_path):
    def written():
        run(tmp_path, [image(i, CLASSES[i % 3]) for i in range(30)])
        return {path.name: path.read_bytes() for path in (tmp_path / "splits").iterdir()}

    assert written() == written()


def test_the_printed_table_counts_images_and_boxes_by_split(tmp_path, capsys):
    run(tmp_path, [image(i, "ab") for i in range(20)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[:4] == [
        ["split", "images", "boxes", "a", "b", "c"],
        ["train", "13", "26", "13", "13", "0"],
        ["val", "3", "6", "3", "3", "0"],
        ["test", "4", "8", "4", "4", "0"],
    ]


def test_a_class_that_a_split_lacks_gives_a_warning(tmp_path, capsys):
    run(tmp_path, [image(i, "abc" if i == 0 else "ab") for i in range(20)])
    printed = capsys.readouterr().out
    assert "warning: no c in val" in printed
    assert "warning: no c in test" in printed
    assert "in train" not in printed


def test_a_fraction_of_0_gives_an_empty_split_and_a_note(tmp_path, capsys):
    assert run(tmp_path, [image(i) for i in range(16)], val_fraction=0.0, test_fraction=0.0) == {
        "train": 16,
        "val": 0,
        "test": 0,
    }
    assert read_coco_split(tmp_path / "splits", "test").images == ()
    printed = capsys.readouterr().out
    assert "val is empty, as asked for" in printed
    assert "there will be no test figures" in printed
    assert "few-images" not in printed


def test_similar_images_stay_together(tmp_path):
    images = [hashed(number, flipped) for number in range(20) for flipped in (0, 30, 60)]
    run(tmp_path, images)
    splits = splits_of(tmp_path)
    for number in range(20):
        assert len({split for name, split in splits.items() if int(name[:-4]) // 1000 == number}) == 1
    figures = json.loads((tmp_path / "split.json").read_text())
    assert (figures["groups"], figures["largest_group"], figures["alike_images"], figures["leaks"]) == (20, 3, 60, 0)


def test_neighbours_in_a_run_of_frames_stay_together_at_a_larger_distance(tmp_path):
    frames = [replace(hashed(1, 35 * i), file_name=f"clip/frame{i:04d}.jpg") for i in range(6)]
    other = [hashed(number, 0) for number in range(2, 32)]
    run(tmp_path, [*frames, *other], near_duplicate_distance=0)
    splits = splits_of(tmp_path)
    assert len({splits[frame.file_name] for frame in frames}) == 1
    assert json.loads((tmp_path / "split.json").read_text())["largest_group"] == 6
    run(tmp_path, [*frames, *other], near_duplicate_distance=0, frame_run_distance=0)
    assert json.loads((tmp_path / "split.json").read_text())["groups"] == 36


@pytest.mark.parametrize("seed", range(5))
def test_an_image_keeps_its_split_when_others_come(tmp_path, seed):
    run(tmp_path, [image(i, "ab"[i % 2]) for i in range(40)], seed=seed)
    before = splits_of(tmp_path)
    more = [image(i, "abc"[i % 3]) for i in range(90)]
    run(tmp_path, more, seed=seed)
    after = splits_of(tmp_path)
    assert {name: after[name] for name in before} == before
    assert sum(split == "test" for split in after.values()) == 18


def test_an_image_similar_to_a_test_image_is_in_test_too(tmp_path):
    old = [hashed(number, 0) for number in range(30)]
    run(tmp_path, old)
    before = splits_of(tmp_path)
    tested = next(name for name, split in before.items() if split == "test")
    learned = next(name for name, split in before.items() if split == "train")
    # A new image that is similar to a test image, and then one that is a copy of a training image.
    run(tmp_path, [*old, hashed(int(tested[:-4]) // 1000, 20)])
    assert splits_of(tmp_path)[f"{int(tested[:-4]) + 20:03d}.jpg"] == "test"
    copy = next(image for image in old if image.file_name == learned)
    run(tmp_path, [*old, replace(copy, file_name="copy.jpg")])
    assert splits_of(tmp_path)["copy.jpg"] == "train"


def test_another_seed_assigns_all_images_anew(tmp_path):
    images = [image(i) for i in range(40)]
    run(tmp_path, images)
    before = splits_of(tmp_path)
    run(tmp_path, images, seed=2)
    assert splits_of(tmp_path) != before
    run(tmp_path, images)
    assert splits_of(tmp_path) == before


def test_images_of_another_data_set_are_forgotten(tmp_path):
    run(tmp_path, [image(i) for i in range(40)])
    run(tmp_path, [image(i) for i in range(100, 140)])
    memory = json.loads((tmp_path / "splits.json").read_text())
    assert sum(map(len, memory["parts"].values())) == 40


@pytest.mark.parametrize("content", ["", "[]", '{"rule": {}}', '{"rule": {}, "parts": {"train": 3}}'])
def test_a_damaged_memory_is_refused_and_left_as_it_is(tmp_path, content):
    (tmp_path / "splits.json").write_text(content)
    with pytest.raises(FormatError, match=r"splits\.json: not a split memory"):
        run(tmp_path, [image(i) for i in range(40)])
    assert (tmp_path / "splits.json").read_text() == content


@pytest.mark.parametrize("key", ["\\ud800" + "a" * 63, "A" * 64, "a" * 63, "../" + "a" * 61], ids=ascii)
def test_a_memory_of_what_is_no_hash_is_refused(tmp_path, key):
    """A lone surrogate was read, and could not be written again."""
    path = tmp_path / "splits.json"
    path.write_text(f'{{"parts": {{"train": ["{key}"]}}, "rule": {{"seed": 1}}}}')
    with pytest.raises(FormatError, match=r"splits\.json: not a split memory .train lists .* not the hash of an image"):
        read_split_memory(path, {"seed": 1})
