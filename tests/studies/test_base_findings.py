"""What a detector finds in photographs: tiles, boxes, duplicates."""

import numpy as np
import pytest
from PIL import Image

from studies.base.findings import _anchors, _decoded, _Detector, _tiles, _to_photo, _whole, _without_duplicates
from tasks.errors import CheckpointError
from tests.studies.base_materials import surface


def test_tiles_cover_the_photograph_at_each_size() -> None:
    tiles = list(_tiles(1600, 1000))
    for side in {right - left for left, _, right, _ in tiles}:
        covered = np.zeros((1000, 1600), dtype=bool)
        for left, top, right, bottom in tiles:
            if right - left == side:
                covered[top:bottom, left:right] = True
        assert covered.all()
    assert min(tile[0] for tile in tiles) == 0
    assert max(tile[2] for tile in tiles) == 1600
    assert next(iter(_tiles(300, 300))) == (0, 0, 300, 300)


def test_there_are_as_many_anchors_as_the_detector_has_outputs() -> None:
    anchors = _anchors()
    assert anchors.shape == (1917, 4)
    # The first of the finest map: a tenth of the picture, in its corner.
    np.testing.assert_allclose(anchors[0], [0.5 / 19, 0.5 / 19, 0.1, 0.1])


def test_a_box_without_encoding_is_its_anchor_in_the_tile() -> None:
    boxes = _decoded(np.zeros((1, 4)), np.array([[0.5, 0.25, 0.2, 0.1]]))
    np.testing.assert_allclose(boxes, [[0.2, 0.4, 0.3, 0.6]])
    np.testing.assert_allclose(_to_photo(boxes, (100, 0, 300, 200)), [[140, 80, 160, 120]])


def test_encodings_move_and_stretch_anchors() -> None:
    boxes = _decoded(np.array([[10.0, 0.0, 0.0, 5 * np.log(2)]]), np.array([[0.5, 0.5, 0.2, 0.2]]))
    np.testing.assert_allclose(boxes, [[0.3, 0.6, 0.7, 0.8]])


def test_a_box_cut_by_its_tile_is_left_out_unless_the_photograph_ends_there_too() -> None:
    boxes = np.array([[10.0, 10, 99, 50], [0, 10, 50, 50], [30, 30, 60, 60]])
    assert _whole(boxes, (0, 0, 100, 100), (400, 100)).tolist() == [False, True, True]


def test_the_best_of_boxes_of_one_thing_is_kept() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [50, 50, 60, 60], [1, 1, 9, 4]])
    kept = _without_duplicates(boxes, np.array([0.6, 0.9, 0.7, 0.5, 0.55]), np.array([1, 1, 2, 1, 1]))
    assert kept == [1, 2, 3]


def test_a_file_without_a_detector_is_an_error() -> None:
    with pytest.raises(CheckpointError, match="not a TFLite file"):
        _Detector(b"x" * 200)


class _OneBox:
    """An interpreter that sees a thing of the class 1 (0 is the first) at the first anchor of every tile."""

    def get_input_details(self) -> list[dict[str, object]]:
        return [{"index": 0}]

    def get_output_details(self) -> list[dict[str, object]]:
        return [{"index": 1, "shape": [1, 1917, 4]}, {"index": 2, "shape": [1, 1917, 3]}]

    def set_tensor(self, _: int, pixels: np.ndarray) -> None:
        assert pixels.shape == (1, 300, 300, 3)
        assert -1 <= pixels.min() < pixels.max() <= 1

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> np.ndarray:
        if index == 1:
            return np.zeros((1, 1917, 4), np.float32)
        logits = np.full((1, 1917, 3), -9, np.float32)
        logits[0, 9 * 19 * 3 + 9 * 3, 2] = 3
        return logits


def test_things_are_found_in_the_photographs_pixels() -> None:
    detector = _Detector.__new__(_Detector)
    detector._interpreter, detector._anchors = _OneBox(), _anchors()
    photo: Image.Image = surface(1, 400, 400)
    boxes, scores, numbers = detector.find(photo)
    assert set(numbers) == {1}
    assert scores == pytest.approx(1 / (1 + np.exp(-3)))
    # In the middle of the photograph as a whole, and of each tile.
    np.testing.assert_allclose(boxes[0], [180, 180, 220, 220], atol=0.1)
