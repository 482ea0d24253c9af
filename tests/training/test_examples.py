from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tasks.model.resizer import Resizer
from tasks.training.examples import Augment, Batch, evaluation_images, training_batches

COUNT, RESIZER = 7, Resizer(width=32, height=32)


def batches(
    shard: Path,
    start_step: int,
    number: int,
    augment: Augment | None = None,
    image_shares: npt.NDArray[np.float64] | None = None,
    resizer: Resizer = RESIZER,
) -> list[Batch]:
    data = training_batches(
        [shard],
        resizer=resizer,
        batch_size=2,
        max_boxes=4,
        augment=augment or Augment(0.5, 0.5, 0.5, 0.5),
        image_shares=image_shares,
        seed=5,
        start_step=start_step,
    )
    return [Batch(*(tensor.numpy() for tensor in batch)) for batch in data.take(number)]


def test_a_resumed_run_gets_the_batches_of_an_uninterrupted_one(grey_shard: Path) -> None:
    whole, resumed = batches(grey_shard, 0, 12), batches(grey_shard, 5, 7)
    for expected, got in zip(whole[5:], resumed, strict=True):
        for a, b in zip(expected, got, strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_epoch_shows_every_image_once_in_an_order_of_its_own(grey_shard: Path) -> None:
    names = [name for batch in batches(grey_shard, 0, COUNT) for name in batch.names]
    first, second = names[:COUNT], names[COUNT:]
    assert sorted(first) == sorted(second) == [f"{number}.jpg".encode() for number in range(COUNT)]
    assert first != second


def test_an_image_is_augmented_differently_in_every_epoch(grey_shard: Path) -> None:
    seen = [image for batch in batches(grey_shard, 0, COUNT) for image in zip(batch.names, batch.images, strict=True)]
    third = [image for name, image in seen if name == b"3.jpg"]
    assert len(third) == 2
    assert not np.array_equal(*third)


def test_boxes_are_padded_weighted_and_without_crowds(grey_shard: Path) -> None:
    plain = batches(grey_shard, 0, 4, Augment(0.0, 0.0, 0.0, 0.0))
    rows = {name: (b, c, w) for batch in plain for name, b, c, w in zip(*batch[:1], *batch[2:5], strict=True)}
    boxes, classes, weights = rows[b"2.jpg"]  # three objects, the third a crowd
    np.testing.assert_array_equal(weights, [1, 1, 0, 0])
    np.testing.assert_array_equal(classes[:2], [1, 1])
    np.testing.assert_allclose(boxes[0], [0.1, 0.1, 0.9, 0.5], atol=1e-6)
    np.testing.assert_array_equal(boxes[2:], np.zeros((2, 4)))


def test_evaluation_shows_each_image_once_in_the_order_of_the_file(grey_shard: Path) -> None:
    batches = list(evaluation_images([grey_shard], resizer=RESIZER, batch_size=3))
    images, shapes = (np.concatenate([tensor.numpy() for tensor in column]) for column in zip(*batches, strict=True))
    assert images.shape == (COUNT, *RESIZER.canvas, 3)
    np.testing.assert_array_equal(shapes, [[*RESIZER.canvas, 3]] * COUNT)
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), [30 * number for number in range(COUNT)], atol=1.5)


def test_an_image_of_a_larger_share_comes_more_often(grey_shard: Path) -> None:
    shares = np.array([0.5, 0.5, 0.5, 4.0, 0.5, 0.5, 0.5])
    names = [name for batch in batches(grey_shard, 0, COUNT, image_shares=shares) for name in batch.names]
    epochs = [names[:COUNT], names[COUNT:]]
    assert [epoch.count(b"3.jpg") for epoch in epochs] == [4, 4]
    assert epochs[0] != epochs[1]
    later = [name for batch in batches(grey_shard, 4, 3, image_shares=shares) for name in batch.names]
    assert later == names[8:]


KEPT = Resizer(min_side=64, max_side=64)


def test_an_image_that_keeps_its_proportions_has_its_shape_and_its_boxes_on_the_canvas(grey_shard: Path) -> None:
    (batch,) = batches(grey_shard, 0, 1, Augment(0.0, 0.0, 0.0, 0.0), resizer=KEPT)
    np.testing.assert_array_equal(batch.shapes, [[32, 64, 3]] * 2)
    for name, image, boxes in zip(batch.names, batch.images, batch.boxes, strict=True):
        np.testing.assert_allclose(image[:32], 30 * int(name[:1]), atol=2)
        assert (image[32:] == 0).all()
        np.testing.assert_allclose(boxes[0], [0.1 / 2, 0.1, 0.9 / 2, 0.5], atol=1e-6)


@pytest.mark.parametrize(
    "augment",
    [Augment(0.0, 0.0, 1.0, 0.0), Augment(0.0, 0.0, 0.0, 0.0, mosaic=1.0)],
    ids=["zoomed out", "mosaic"],
)
def test_an_image_that_other_things_lie_beside_has_the_whole_canvas(grey_shard: Path, augment: Augment) -> None:
    (batch,) = batches(grey_shard, 0, 1, augment, resizer=KEPT)
    np.testing.assert_array_equal(batch.shapes, [[64, 64, 3]] * 2)


def test_zooming_out_keeps_proportions_where_the_resizer_does(grey_shard: Path) -> None:
    seen = batches(grey_shard, 0, 6, Augment(0.0, 0.0, 1.0, 0.0), resizer=KEPT)
    for box in (boxes[0] for batch in seen for boxes in batch.boxes):
        # Twice as high as wide in the photo's fractions, which is twice as wide as high: a square.
        np.testing.assert_allclose(box[2] - box[0], box[3] - box[1], atol=0.02)
