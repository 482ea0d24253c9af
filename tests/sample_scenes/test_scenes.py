from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.sample_scenes.scenes import MIN_VISIBLE, _extent, _on_canvas, _place, _sprite, draw_scene
from tasks.sample_scenes.shapes import CLUTTER, KINDS, SHAPES


def square(side):
    return Image.new("RGBA", (side, side), (255, 0, 0, 255))


@pytest.mark.parametrize(
    ("x", "y", "box"),
    [(20, 30, (20, 30, 30, 40)), (-4, 75, (0, 75, 6, 80)), (95, -7, (95, 0, 100, 3))],
    ids=["inside", "cut left and below", "cut right and above"],
)
def test_a_box_is_tight_around_what_the_picture_shows(x, y, box):
    solid = np.ones((10, 10), dtype=bool)
    assert _extent(_on_canvas(solid, x, y, (100, 80))) == box


def test_a_sprite_outside_the_picture_covers_nothing():
    assert not _on_canvas(np.ones((10, 10), dtype=bool), 100, 20, (100, 80)).any()
    assert not _on_canvas(np.ones((10, 10), dtype=bool), 20, -10, (100, 80)).any()


@pytest.mark.parametrize("seed", range(5))
def test_each_object_stays_visible_enough_and_no_pixel_belongs_to_two(seed):
    rng = np.random.default_rng(seed)
    placed: list[Any] = []
    for _ in range(30):
        _place(square(30), "mug", placed, rng, (100, 80))
    assert len(placed) > 3
    assert all(thing.visible.sum() >= MIN_VISIBLE * 900 for thing in placed)
    assert np.sum([thing.visible.astype(int) for thing in placed], axis=0).max() == 1


@pytest.mark.parametrize("draw", [*SHAPES.values(), *CLUTTER], ids=lambda draw: draw.__name__.strip("_"))
def test_every_thing_fits_its_canvas_at_any_angle(draw):
    for seed in range(20):
        sprite = _sprite(draw, np.random.default_rng(seed), 100, upright=False)
        assert 25 <= max(sprite.size) <= 125
        assert (np.asarray(sprite.getchannel("A")) >= 128).mean() > 0.1


def test_scenes_vary_in_number_and_kind():
    scenes = [draw_scene(np.random.default_rng(seed), width=160, height=120) for seed in range(30)]
    assert {len(scene.boxes) for scene in scenes} >= {1, 2, 3, 4, 5}
    assert {kind for scene in scenes for kind in scene.classes} == set(KINDS)
    assert all(len(scene.boxes) == len(scene.classes) for scene in scenes)
