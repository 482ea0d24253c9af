from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from tasks.model.resizer import Resizer
from tasks.training.examples import Augment, Batch, augmented_copies, training_batches
from tasks.training.mosaic import Example, most_boxes, partners_of, put_together

SIZE = (40, 60)
RESIZER = Resizer(height=40, width=60)
SEEDS = [tf.constant([7, number], tf.int64) for number in range(60)]
# One object in each of four images, of that image's colour on black; the last image has none.
COLOURS = [(255.0, 0.0, 0.0), (0.0, 255.0, 0.0), (0.0, 0.0, 255.0)]
BOXES = [[0.1, 0.1, 0.5, 0.4], [0.5, 0.5, 0.9, 0.9], [0.2, 0.6, 0.7, 0.9]]
MOSAIC = Augment(0.5, 0.5, 0.5, 0.5, mosaic=1.0)


def examples() -> list[Example]:
    made = []
    for number, (colour, box) in enumerate(zip(COLOURS, BOXES, strict=True)):
        image = np.zeros((*SIZE, 3), np.float32)
        top, left, bottom, right = (np.array(box) * [*SIZE, *SIZE]).astype(int)
        image[top:bottom, left:right] = colour
        made.append((tf.constant(image), tf.constant([box], tf.float32), tf.constant([number])))
    return [*made, (tf.zeros((*SIZE, 3)), tf.zeros([0, 4]), tf.zeros([0], tf.int32))]


def mean_in(image: npt.NDArray[np.float32], box: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    top, left, bottom, right = np.round(box * np.array([*SIZE, *SIZE])).astype(int)
    mean: npt.NDArray[np.float32] = image[top:bottom, left:right].mean(axis=(0, 1))
    return mean


def test_boxes_stay_on_their_objects_and_with_their_classes() -> None:
    seen: set[int] = set()
    for seed in SEEDS:
        image, boxes, classes = (tensor.numpy() for tensor in put_together(examples(), seed, SIZE))
        assert image.shape == (*SIZE, 3)
        for box, number in zip(boxes, classes, strict=True):
            assert mean_in(image, box)[number] > 200, f"{seed}: {box} of {number}"
            seen.add(int(number))
    assert seen == {0, 1, 2}


def test_an_object_of_which_little_is_seen_has_no_box() -> None:
    counts = [len(put_together(examples(), seed, SIZE)[2]) for seed in SEEDS]
    assert min(counts) < 3 <= max(counts)
    for seed in SEEDS:
        image, boxes, classes = (tensor.numpy() for tensor in put_together(examples(), seed, SIZE))
        for number, (top, left, bottom, right) in zip(classes, boxes, strict=True):
            before = (BOXES[number][2] - BOXES[number][0]) * (BOXES[number][3] - BOXES[number][1])
            # Shown at half its size at least, and half of it is seen at least.
            assert (bottom - top) * (right - left) >= before / 4 * 0.5 - 1e-6
        missing = set(range(3)) - set(classes.tolist())
        for number in missing:
            shown = (image[..., number] > 200).mean()
            area = (BOXES[number][2] - BOXES[number][0]) * (BOXES[number][3] - BOXES[number][1])
            assert shown <= area * 0.6


def test_things_are_shown_at_half_to_all_of_their_size() -> None:
    small = tf.constant([[0.9, 0.9, 0.91, 0.91]])
    four = [
        (tf.zeros((*SIZE, 3)), small if place == 0 else tf.zeros([0, 4]), tf.zeros([1 - min(place, 1)], tf.int32))
        for place in range(4)
    ]
    sides = [(box[2] - box[0]) / 0.01 for seed in SEEDS for box in put_together(four, seed, SIZE)[1].numpy()]
    assert 0.5 - 1e-3 <= min(sides) < 0.6
    assert 0.9 < max(sides) <= 1.0 + 1e-3


def test_of_no_image_there_are_no_partners() -> None:
    with pytest.raises(ValueError, match="no images"):
        partners_of(tf.data.Dataset.range(1), 0, RESIZER, lambda number: examples()[0])


def test_photos_that_do_not_fit_into_memory_are_not_decoded() -> None:
    decoded: list[int] = []

    def note(number: np.int64) -> np.int64:
        decoded.append(int(number))
        return number

    def decode(number: tf.Tensor) -> Example:
        seen = tf.numpy_function(note, [number], tf.int64)
        with tf.control_dependencies([seen]):
            return tf.fill((*SIZE, 3), tf.cast(number, tf.float32)), tf.zeros([0, 4]), tf.zeros([0], tf.int32)

    partners = partners_of(tf.data.Dataset.range(10), 10, RESIZER, decode, most_bytes=4 * 3 * SIZE[0] * SIZE[1])
    np.testing.assert_array_equal(partners.images[:, 0, 0, 0], [0, 3, 6, 9])
    assert sorted(decoded) == [0, 3, 6, 9]


def test_partners_keep_their_own_boxes_and_are_chosen_by_the_seed() -> None:
    images = tf.stack([image for image, _, _ in examples()])
    boxes, classes = tf.constant([*BOXES, BOXES[0]]), tf.range(4)

    def decode(number: tf.Tensor) -> Example:
        mine = slice(number, tf.minimum(number + 1, 3))
        return images[number], boxes[mine], classes[mine]

    partners = partners_of(tf.data.Dataset.range(4), 4, RESIZER, decode)
    np.testing.assert_array_equal(partners.counts, [1, 1, 1, 0])
    np.testing.assert_array_equal(partners.images[1], examples()[1][0])
    chosen = [[example[2].numpy().tolist() for example in partners.chosen(seed)] for seed in SEEDS]
    assert chosen[:3] == [[example[2].numpy().tolist() for example in partners.chosen(seed)] for seed in SEEDS[:3]]
    assert len({str(three) for three in chosen}) > 10


def batches(shard: Path, start_step: int, number: int) -> list[Batch]:
    data = training_batches(
        [shard], resizer=RESIZER, batch_size=2, max_boxes=12, augment=MOSAIC, seed=5, start_step=start_step
    )
    return [Batch(*(tensor.numpy() for tensor in batch)) for batch in data.take(number)]


def test_a_resumed_run_gets_the_mosaics_of_an_uninterrupted_one(grey_shard: Path) -> None:
    whole, resumed = batches(grey_shard, 0, 8), batches(grey_shard, 5, 3)
    for expected, got in zip(whole[5:], resumed, strict=True):
        for a, b in zip(expected, got, strict=True):
            np.testing.assert_array_equal(a, b)
    # More boxes than any image of the shard has: they are of several.
    assert max(batch.weights.sum(axis=1).max() for batch in whole) > 2


def test_the_unchanged_copy_is_no_mosaic_and_the_others_are(grey_shard: Path) -> None:
    copies = augmented_copies([grey_shard], images=7, copies=2, resizer=RESIZER, max_boxes=12, augment=MOSAIC, seed=3)
    greys = {int(entry): len(np.unique(np.round(copy.images.numpy() / 30))) for entry, copy in copies}
    assert sorted(greys) == list(range(21))
    assert max(greys[entry] for entry in range(7)) == 1
    assert np.mean([greys[entry] for entry in range(7, 21)]) > 2


@pytest.mark.parametrize(("counts", "mosaic", "most"), [((1, 3), 0.0, 8), ((1, 30), 0.0, 30), ((1, 30), 0.1, 120)])
def test_a_batch_has_room_for_the_boxes_of_four_images(counts: tuple[int, ...], mosaic: float, most: int) -> None:
    assert most_boxes(counts, mosaic) == most
