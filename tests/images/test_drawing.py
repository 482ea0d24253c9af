import io

import numpy as np
import pytest
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tasks.errors import FormatError
from tasks.images.drawing import PALETTE, class_colours, draw_detections, thumbnail


def rgb(colour):
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def detections(*rows):
    return Detections(
        as_boxes([row[0] for row in rows]), tuple(row[1] for row in rows), np.array([row[2] for row in rows], float)
    )


def test_a_box_is_drawn_in_its_class_colour_at_its_pixels():
    drawn = draw_detections(Image.new("RGB", (300, 200)), detections(([100, 80, 200, 180], "dog", 0.9)), ["cat", "dog"])
    assert drawn.getpixel((100, 130)) == drawn.getpixel((200, 130)) == drawn.getpixel((150, 180)) == rgb(PALETTE[1])
    assert drawn.getpixel((150, 130)) == (0, 0, 0)


@pytest.mark.parametrize("background", ["#000000", "#ffffff", PALETTE[0]], ids=["black", "white", "its own colour"])
def test_a_box_stands_out_from_any_background(background):
    drawn = draw_detections(Image.new("RGB", (300, 200), background), detections(([100, 80, 200, 180], "a", 0.9)), "a")
    crossing = np.array([drawn.getpixel((x, 130)) for x in range(90, 110)], dtype=int)
    assert np.abs(np.diff(crossing, axis=0)).sum(axis=1).max() > 200


def test_the_original_image_is_unchanged():
    image = Image.new("RGB", (300, 200))
    draw_detections(image, detections(([10, 10, 50, 50], "cat", 0.9)), ["cat"])
    assert image.getcolors() == [(300 * 200, (0, 0, 0))]


def test_a_picture_without_detections_is_unchanged():
    image = Image.new("RGB", (30, 20), "#123456")
    assert draw_detections(image, detections(), ["cat"]).tobytes() == image.tobytes()


def test_lines_grow_with_the_image():
    def line_px(side):
        drawn = draw_detections(
            Image.new("RGB", (side, side)), detections(([side / 2, 0, side, side], "cat", 0.9)), ["cat"]
        )
        row = [drawn.getpixel((x, side * 3 // 4)) for x in range(side // 2 - 20, side // 2 + 40)]
        return row.count(rgb(PALETTE[0]))

    assert line_px(300) == 2
    assert line_px(3000) == 10


def test_small_boxes_in_a_large_photo_hide_neither_their_objects_nor_each_other():
    corners = [(x, y) for x in range(100, 3900, 320) for y in range(100, 2900, 420)]
    boxes = detections(*(([x, y, x + 40, y + 40], "drone", 0.9) for x, y in corners))
    drawn = np.asarray(draw_detections(Image.new("RGB", (4000, 3000)), boxes, ["drone"]))
    assert len(corners) == 84
    for x, y in corners:
        assert (drawn[y + 6 : y + 35, x + 6 : x + 35] == 0).all()
    # A box with its label takes 8,000 pixels at most: 200 x 40.
    assert (drawn.any(axis=2)).sum() < 84 * 8000


def test_a_large_box_keeps_a_large_label_beside_a_small_one():
    rows = [([500, 500, 1500, 1500], "a", 0.9), ([2500, 500, 2540, 540], "a", 0.9)]
    drawn = np.asarray(draw_detections(Image.new("RGB", (4000, 3000)), detections(*rows), "a"))
    heights = [int((drawn[:500, x + 3] == rgb(PALETTE[0])).all(axis=1).sum()) for x in (500, 2500)]
    assert heights[0] > 90
    assert heights[1] < 30


def test_the_line_of_a_thin_box_leaves_its_inside_free():
    drawn = draw_detections(Image.new("RGB", (4000, 3000)), detections(([1000, 500, 1050, 2500], "a", 0.9)), "a")
    assert [drawn.getpixel((x, 1500)) for x in range(1006, 1045)] == [(0, 0, 0)] * 39


@pytest.mark.parametrize(
    "box",
    [[0, 0, 40, 40], [0, 0, 0, 0], [-50, -50, 500, 500], [39, 39, 40, 40], [30, 30, 10, 10]],
    ids=["the whole image", "no area", "past the border", "the last pixel", "inverted"],
)
@pytest.mark.parametrize("name", ["cat", "a" * 500, "", "кот", "猫\n\x00\u202etac"])
def test_any_box_and_any_name_can_be_drawn(box, name):
    drawn = draw_detections(Image.new("RGB", (40, 40)), detections((box, name, 0.5)), [name])
    assert drawn.size == (40, 40)
    assert len(drawn.getcolors() or ()) > 1


def test_the_highest_score_is_drawn_on_top():
    drawn = draw_detections(
        Image.new("RGB", (300, 200)),
        detections(([50, 80, 150, 180], "cat", 0.9), ([50, 80, 150, 180], "dog", 0.4)),
        ["cat", "dog"],
    )
    assert drawn.getpixel((150, 130)) == rgb(PALETTE[0])


def test_classes_have_distinct_colours_in_their_order_until_the_palette_ends():
    names = [str(i) for i in range(len(PALETTE) + 1)]
    colours = class_colours(names)
    assert [colours[name] for name in names[:-1]] == list(PALETTE)
    assert colours[names[-1]] == PALETTE[0]
    assert len(set(PALETTE)) == len(PALETTE)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_thumbnail_is_small_is_not_rotated_and_has_no_metadata(tmp_path, suffix):
    image = Image.new("RGB", (400, 200), "#ff0000")
    image.paste("#0000ff", (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    exif[0x010F] = "maker of the camera"
    image.save(tmp_path / f"a.{suffix}", exif=exif)
    small = thumbnail(tmp_path / f"a.{suffix}", 100, max_megapixels=1)
    content = small.jpeg
    assert b"maker" not in content
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.format == "JPEG"
        assert opened.size == (100, 50)
        assert np.asarray(opened)[25, 10, 2] > 200
        assert np.asarray(opened)[25, 90, 0] > 200


def test_a_small_image_is_not_enlarged(tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "a.png")
    with Image.open(io.BytesIO(thumbnail(tmp_path / "a.png", 100, max_megapixels=1).jpeg)) as small:
        assert small.size == (30, 20)


def test_a_file_that_is_not_an_image_has_no_thumbnail(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"text")
    with pytest.raises(FormatError, match=r"a\.jpg: not an image"):
        thumbnail(tmp_path / "a.jpg", 100, max_megapixels=1)
