"""Training from features that were computed once, against training from images."""

import errno
import gc
import os
import re
import weakref
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.initialise import initialise
from tasks.detector.network import Network
from tasks.errors import TrainingError
from tasks.model.resizer import Resizer
from tasks.params import CacheParams
from tasks.training.batchnorm import hold_still
from tasks.training.examples import Augment, Batch
from tasks.training.feature_cache import CachePlan, FeatureCache, batch_entries
from tasks.training.feeding import BatchSource, choose_feed
from tasks.training.freeze import frozen_keys, max_abs_change, snapshot, trainable
from tasks.training.loop import Trainer
from tasks.training.optimizing import TwoRates
from tasks.training.progress import ValidationScores
from tasks.training.replicas import Copies, Replicas
from tasks.training.resume import ResumeFolder
from tasks.training.trunk import trunk_of
from tests.detector.small_network import RESNET, V1, V2, V2_SSD, small_network
from tests.detector.toy_network import toy_network
from tests.training.interrupted import InterruptedRunError, until
from tests.training.kept_photos import kept_photos
from tests.training.train_params import train_params

SIDE_PX = 160
RESIZER = Resizer(width=SIDE_PX, height=SIDE_PX)
ALONE = Replicas(tf.distribute.get_strategy())
AUGMENT = Augment(0.5, 0.5, 0.5, 0.5)
CACHE = CacheParams(use="memory", copies=2, dtype="float32", memory_mb=1000)
PARAMS = train_params(steps=4, batch_size=2, warmup_steps=2, eval_every=4, save_every=2, freeze=2, cache=CACHE)


def build(freeze: str | int, model: str | None = None) -> tuple[Network, set[str]]:
    """A model's network, else the toy, initialised; and the keys of what is frozen in it."""
    network = small_network(model, side_px=SIDE_PX) if model else toy_network(side_px=SIDE_PX)
    initialise(network, network.variables, seed=1)
    frozen = frozen_keys(network, freeze)
    hold_still(network, frozen)
    return network, frozen


def plan(images: int = 7, copies: int = 2, *specs: tuple[int, ...]) -> CachePlan:
    return CachePlan(images, copies, "float32", tuple(tf.TensorSpec(spec, tf.float32) for spec in specs))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "freeze"),
    [(V2, 3), (V2, "backbone"), (None, "heads-only"), (V1, 8), (V2_SSD, 8), (RESNET, 2)],
)
def test_predictions_from_the_trunks_features_equal_those_from_the_image(model: str | None, freeze: str | int) -> None:
    network, frozen = build(freeze, model)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    images = tf.random.stateless_uniform([2, SIDE_PX, SIDE_PX, 3], seed=[1, 2], maxval=255.0)
    before = snapshot(network, network.variables)
    whole = tf.function(lambda x: network.forward(x, training=True))(images)
    moved = snapshot(network, network.variables)
    for key, value in before.items():
        network.variables[key].assign(value)
    behind = tf.function(lambda x: trunk.forward(x, training=True))(trunk.features(images))
    for name in ("box_encodings", "class_predictions_with_background"):
        np.testing.assert_allclose(behind[name], whole[name], atol=1e-5)
    assert max_abs_change(network, moved) <= 1e-5
    assert max_abs_change(network, before) > 0 or freeze == "heads-only"


@pytest.fixture(scope="module")
def network() -> Network:
    return build("none", V2)[0]


def test_without_frozen_first_layers_there_is_no_trunk(network: Network) -> None:
    assert trunk_of(network, set()) is None
    assert trunk_of(network, frozen_keys(network, ["^backbone/block_3_"])) is None


@pytest.mark.parametrize(
    ("freeze", "cache", "steps", "cached", "reason"),
    [
        ("none", {}, 100, False, "the first layers are not frozen"),
        ("backbone", {}, 100, True, "for 7 images and 2 augmented copies of each: .* as float32 in memory"),
        ("backbone", {"memory_mb": 1}, 100, True, "in a file"),
        ("backbone", {"use": "disk"}, 100, True, "in a file"),
        ("backbone", {}, 10, False, "10 steps use 20 images, fewer than the 21"),
        ("backbone", {"use": "memory"}, 10, True, "in memory"),
        ("backbone", {"use": "off"}, 100, False, "train.cache.use is off"),
    ],
)
def test_features_are_cached_where_that_saves_work_and_the_reason_is_given(
    network: Network, freeze: str, cache: dict[str, object], steps: int, cached: bool, reason: str
) -> None:
    settings = CACHE.model_copy(update={"use": "auto", **cache})
    params = PARAMS.model_copy(update={"steps": steps, "cache": settings})
    feed = choose_feed(network, frozen_keys(network, freeze), params, 7, ALONE)
    assert (feed.plan is not None) == cached == (feed.trunk is not None)
    assert re.search(reason, feed.reason)


def test_every_epoch_shows_each_image_once_and_its_copies_in_turn() -> None:
    entries = np.concatenate(list(islice(batch_entries(plan(), batch_size=3, seed=5, start_step=0), 7)))
    epochs = entries.reshape(3, 7)
    assert all(sorted(epoch % 7) == list(range(7)) for epoch in epochs)
    assert sorted(entries) == list(range(21))
    assert not np.array_equal(epochs[0] % 7, epochs[1] % 7)


def test_an_image_of_a_larger_share_comes_more_often_and_each_time_as_another_copy() -> None:
    shares = np.array([0.5, 0.5, 0.5, 3.0, 0.5, 0.5, 1.5])
    entries = np.concatenate(
        list(islice(batch_entries(plan(), batch_size=7, seed=5, start_step=0, image_shares=shares), 3))
    )
    for epoch in entries.reshape(3, 7):
        assert sorted(epoch[epoch % 7 == 3]) == [3, 10, 17]


def test_a_resumed_run_gets_the_batches_of_an_uninterrupted_one() -> None:
    whole = list(islice(batch_entries(plan(), batch_size=4, seed=5, start_step=0), 9))
    resumed = list(islice(batch_entries(plan(), batch_size=4, seed=5, start_step=6), 3))
    assert np.array_equal(whole[6:], resumed)
    other = next(batch_entries(plan(), batch_size=4, seed=6, start_step=0))
    assert not np.array_equal(other, whole[0])


def test_a_disk_without_the_space_for_features_is_an_error_before_any_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def full(file: int, offset: int, length: int) -> None:
        asked.append(length)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    specs = (tf.TensorSpec((4, 4, 2)),)
    with pytest.raises(TrainingError, match=r"no space for the features \(.*No space left.*train\.cache\.use to off"):
        FeatureCache(CachePlan(7, 1, "float16", specs), tmp_path)
    assert asked == [14 * 32 * 2]
    assert list(tmp_path.iterdir()) == []


def test_more_features_than_memory_can_hold_are_an_error() -> None:
    with pytest.raises(TrainingError, match=r"no memory for the features .*train\.cache\.use to disk or off"):
        FeatureCache(CachePlan(10**9, 10**6, "float32", (tf.TensorSpec((4, 4, 2)),)), None)


@pytest.mark.slow
@pytest.mark.parametrize("use", ["memory", "disk"])
def test_cached_features_are_those_of_the_copies_and_come_with_their_boxes(
    grey_shard: Path, tmp_path: Path, use: str
) -> None:
    network, frozen = build(2)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    cache = FeatureCache(CachePlan(7, 1, "float32", trunk.specs), tmp_path if use == "disk" else None)
    cache.fill(trunk, [grey_shard], resizer=RESIZER, max_boxes=4, augment=AUGMENT, seed=3)
    assert list(tmp_path.iterdir()) == []
    batch: Batch = next(iter(cache.batches(batch_size=7, seed=3, start_step=0)))
    assert sorted(name.decode() for name in batch.names.numpy()) == [f"{number}.jpg" for number in range(7)]
    entry = next(batch_entries(CachePlan(7, 1, "float32", trunk.specs), batch_size=7, seed=3, start_step=0))
    originals = [place for place in range(7) if entry[place] < 7]
    assert originals
    for place in originals:
        number = int(batch.names.numpy()[place].decode()[0])
        grey = tf.fill([1, SIDE_PX, SIDE_PX, 3], 30.0 * number)
        np.testing.assert_allclose(batch.images[0][place], trunk.features(grey)[0][0], atol=1e-4)
        assert batch.weights.numpy()[place].sum() == min(1 + number % 3, 2)


@pytest.mark.slow
def test_features_and_the_photos_of_their_mosaics_are_kept_no_longer_than_needed(
    grey_shard: Path,
) -> None:
    network, frozen = build(2)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    gc.disable()
    try:
        cache = FeatureCache(CachePlan(7, 1, "float32", trunk.specs), None)
        mosaic = AUGMENT._replace(mosaic=0.5)
        cache.fill(trunk, [grey_shard], resizer=RESIZER, max_boxes=8, augment=mosaic, seed=3)
        assert kept_photos((7, SIDE_PX, SIDE_PX, 3)) == 0
        batches = cache.batches(batch_size=7, seed=3, start_step=0)
        alive = weakref.ref(cache)
        del cache
        iterator = iter(batches)
        del batches
        assert len(next(iterator).names) == 7
        assert alive() is not None
        del iterator
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.parametrize("images", [6, 8])
def test_shards_with_another_number_of_images_than_planned_are_refused(grey_shard: Path, images: int) -> None:
    network, frozen = build(2)
    trunk = trunk_of(network, frozen)
    assert trunk is not None
    cache = FeatureCache(CachePlan(images, 1, "float32", trunk.specs), None)
    with pytest.raises(TrainingError, match=f"but {2 * images} were expected"):
        cache.fill(trunk, [grey_shard], resizer=RESIZER, max_boxes=4, augment=AUGMENT, seed=3)


def test_several_trainings_on_one_set_of_features_make_them_worth_while() -> None:
    network, frozen = build(2)
    params = PARAMS.model_copy(update={"cache": PARAMS.cache.model_copy(update={"use": "auto", "copies": 4})})
    params = params.model_copy(update={"steps": 2, "batch_size": 10})
    assert choose_feed(network, frozen, params, 7, ALONE).plan is None
    assert choose_feed(network, frozen, params, 7, ALONE, 2).plan is not None


@pytest.mark.slow
def test_a_run_from_features_resumes_to_the_same_bits_and_leaves_frozen_variables_unchanged(
    grey_shard: Path, tmp_path: Path
) -> None:
    def run(folder: Path, last: int = 4) -> Network:
        network, frozen = build(2)
        feed = choose_feed(network, frozen, PARAMS, 7, ALONE)
        variables = list(trainable(network, frozen).values())
        optimizer = TwoRates(PARAMS, variables[:9], variables[9:])
        trainer = Trainer(Copies(network, network), ALONE, optimizer, PARAMS, frozen=frozen, trunk=feed.trunk)
        resume = ResumeFolder(folder, "run")
        with resume.lock(), suppress(InterruptedRunError):
            progress = resume.restore(trainer.state)
            source = BatchSource(
                feed,
                PARAMS,
                [grey_shard],
                ALONE,
                resizer=RESIZER,
                max_boxes=4,
                cache_folder=folder,
            )
            trainer.run(
                source.batches(progress.step),
                resume,
                progress,
                until(last),
                lambda: ValidationScores(mAP=0.5, AP50=0.5),
            )
        return network

    whole = run(tmp_path / "whole")
    run(tmp_path / "parts", last=2)
    parts = run(tmp_path / "parts")
    assert max_abs_change(parts, snapshot(whole, whole.variables)) == 0.0
    untouched, frozen = build(2)
    assert max_abs_change(whole, snapshot(untouched, frozen)) == 0.0
    assert max_abs_change(whole, snapshot(untouched, trainable(untouched, frozen))) > 0
