"""Stage validate: what each fault of an image leads to under each policy."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tasks.errors import DataError
from tests.stages.validate.gated import CAT, ingested_image, photo, problems_of, run


def test_the_first_frame_of_an_animated_image_is_used(here):
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("white", "black", "red")]
    frames[0].save("photos/a.gif", save_all=True, append_images=frames[1:])
    dataset, _ = run(ingested_image("a.gif", CAT))
    assert ("animated_image", "kept") in problems_of(dataset)
    assert "first of its 3 frames" in next(p.detail for p in dataset.problems if p.kind == "animated_image")


def test_an_image_that_a_policy_drops_is_dropped_with_its_boxes(here):
    dataset, figures = run(photo("a.jpg", CAT), photo("b.png", CAT, CAT, mode="L"), policy={"not_rgb": "drop"})
    assert problems_of(dataset) == [("not_rgb", "dropped_image")] + [("box_of_dropped_image", "dropped_box")] * 2
    assert (figures["dropped_images"], figures["dropped_boxes"]) == (1, 2)


def test_copies_with_other_boxes_are_reported(here):
    photo("a.jpg")
    for name in ("b.jpg", "c.jpg"):
        shutil.copy("photos/a.jpg", f"photos/{name}")
    images = [ingested_image("a.jpg", CAT), ingested_image("b.jpg", CAT), ingested_image("c.jpg", CAT, ("dog", CAT[1]))]
    dataset, _ = run(*images)
    assert [(p.kind, p.file) for p in dataset.problems] == [("copies_annotated_differently", "photos/c.jpg")]


@pytest.mark.parametrize("policy", ["fix", "drop"])
@pytest.mark.parametrize(("annotated_size", "kind"), [((100, 48), "size_mismatch"), ((0, 0), "size_missing")])
def test_the_real_size_is_used_and_boxes_are_unchanged(here, policy, annotated_size, kind):
    dataset, figures = run(photo("a.jpg", CAT, annotated_size=annotated_size), on_problem=policy)
    assert problems_of(dataset) == [(kind, "fixed_image")]
    assert (dataset.images[0].width, dataset.images[0].height) == (64, 48)
    assert dataset.images[0].boxes.tolist() == [CAT[1]]
    assert figures["fixed_boxes"] == 0


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6
    return {"exif": exif}


@pytest.mark.parametrize(
    ("name", "saving", "kinds"),
    [
        ("a.png", {"format": "JPEG"}, ["wrong_extension"]),
        ("a.png", {"mode": "RGBA"}, ["not_rgb"]),
        ("a.gif", {"mode": "P"}, ["not_rgb"]),
        ("a.jpg", rotated(), ["exif_rotated"]),
        ("a.jpeg", {}, []),
    ],
    ids=["JPEG called PNG", "RGBA", "palette", "EXIF", "nothing wrong"],
)
@pytest.mark.parametrize("policy", ["fix", "drop", "fail"])
def test_peculiar_images_are_kept_under_every_policy(here, policy, name, saving, kinds):
    dataset, _ = run(photo(name, CAT, **saving), on_problem=policy)
    assert problems_of(dataset) == [(kind, "kept") for kind in kinds]
    assert dataset.images[0].boxes.tolist() == [CAT[1]]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "0 bytes"), (b"x", "known format"), (None, "damaged")],
    ids=["empty", "text", "truncated"],
)
def test_an_image_that_does_not_decode_is_dropped_with_its_boxes(here, content, message):
    good = photo("a.jpg", CAT)
    photo("b.jpg", size=(640, 480))
    path = Path("photos/b.jpg")
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    dataset, figures = run(good, ingested_image("b.jpg", CAT, CAT))
    assert [image.file_name for image in dataset.images] == ["a.jpg"]
    assert figures["problems"] == {"unreadable_image": 1, "box_of_dropped_image": 2}
    assert (figures["dropped_images"], figures["dropped_boxes"]) == (1, 2)
    assert message in dataset.problems[0].detail
    assert dataset.problems[0].file == "photos/b.jpg"


def test_an_image_over_the_megapixel_limit_is_dropped(here):
    dataset, _ = run(photo("a.jpg", CAT), photo("b.png", CAT, size=(1001, 1000)))
    assert problems_of(dataset)[0] == ("unreadable_image", "dropped_image")
    assert "max_image_megapixels" in dataset.problems[0].detail


def test_a_changed_image_stops_the_pipeline(here):
    image = photo("a.jpg", CAT)
    photo("a.jpg", size=(10, 10))
    with pytest.raises(DataError, match=r"photos/a\.jpg: run `dvc repro`"):
        run(image)


def test_a_missing_image_stops_the_pipeline(here):
    image = photo("a.jpg", CAT)
    Path("photos/a.jpg").unlink()
    with pytest.raises(DataError, match="missing or changed"):
        run(image)


def test_an_image_whose_objects_were_all_dropped_is_dropped_but_a_background_is_kept(here):
    dataset, figures = run(
        photo("a.jpg", CAT), photo("b.jpg", ("cat", [5, 5, 5, 5]), size=(64, 50)), photo("c.jpg", size=(64, 52))
    )
    assert [image.file_name for image in dataset.images] == ["a.jpg", "c.jpg"]
    assert problems_of(dataset) == [
        ("no_objects", "kept"),
        ("tiny_box", "dropped_box"),
        ("image_left_empty", "dropped_image"),
    ]
    assert (figures["dropped_images"], figures["dropped_boxes"]) == (1, 1)
