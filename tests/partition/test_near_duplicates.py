import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.partition.near_duplicates import (
    Pair,
    _packed_bits,
    _pairs_within,
    connected_groups,
    neighbouring_frames,
    similar_pairs,
)

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=20)


def image(name, bits=None, sha256=""):
    hashed = "" if bits is None else np.packbits(bits).tobytes().hex()
    return AnnotatedImage(name, 1, 1, as_boxes([]), (), flags(0), flags(0), sha256=sha256, perceptual_hash=hashed)


def bits(ones):
    return np.arange(256) < ones


def test_a_pair_is_similar_up_to_the_limit():
    images = [image("a", bits(0)), image("b", bits(60)), image("c", bits(121))]
    assert similar_pairs(images, 60) == [Pair(0, 1, 60)]
    assert similar_pairs(images, 61) == [Pair(0, 1, 60), Pair(1, 2, 61)]


def test_at_a_distance_of_0_only_equal_content_counts():
    images = [image("a", bits(0), "x"), image("b", bits(0), "y"), image("c", bits(9), "x"), image("d")]
    assert similar_pairs(images, 0) == [Pair(0, 2, 0)]


def test_images_without_a_hash_are_similar_by_content_alone():
    assert similar_pairs([image("a"), image("b"), image("c", None, "x"), image("d", None, "x")], 60) == [Pair(2, 3, 0)]


@pytest.mark.parametrize("block", [1, 3, 2048])
@given(hashes=HASHES, limit=st.integers(1, 128))
def test_blocks_give_the_pairs_of_a_loop_over_all_pairs(block, hashes, limit):
    rows = [np.unpackbits(np.frombuffer(row, np.uint8)) for row in hashes]
    expected = {
        (i, j, int((rows[i] != rows[j]).sum()))
        for i in range(len(rows))
        for j in range(i + 1, len(rows))
        if (rows[i] != rows[j]).sum() <= limit
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.partition.near_duplicates._BLOCK", block)
        assert set(_pairs_within(_packed_bits([row.hex() for row in hashes]), limit)) == expected


def test_a_run_is_files_whose_names_differ_in_the_last_number_only():
    names = ["v1/f2.jpg", "v1/f10.jpg", "v2/f3.jpg", "v1/f3.png", "v1/g3.jpg", "plain.jpg"]
    images = [image(name, bits(0)) for name in names]
    assert neighbouring_frames(images, 90) == [Pair(0, 1, 0)]
    assert neighbouring_frames(images, 0) == []
    assert neighbouring_frames([image("f1.jpg", bits(0)), image("f2.jpg", bits(91))], 90) == []


def test_a_group_holds_chains_of_pairs():
    assert connected_groups(5, [Pair(0, 3, 1), Pair(3, 4, 1)]) == [[0, 3, 4], [1], [2]]
    assert connected_groups(0, []) == []
