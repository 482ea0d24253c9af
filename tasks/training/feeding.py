"""The source of a training run's batches: images, augmented anew at every step, or features computed once."""

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.detector.network import Network
from tasks.model.resizer import Resizer
from tasks.training.examples import Augment, BatchSlice, training_batches
from tasks.training.feature_cache import CachePlan, FeatureCache
from tasks.training.replicas import Replicas
from tasks.training.trunk import Trunk, trunk_of

if TYPE_CHECKING:
    from tasks.params import TrainParams


class Feed(NamedTuple):
    """What the batches of a run hold.

    Attributes:
        trunk: whose features they hold; None where they hold images.
        plan: how many features are kept; None where none are.
        reason: the choice, in a sentence.
    """

    trunk: Trunk | None
    plan: CachePlan | None
    reason: str


def choose_feed(
    network: Network, frozen: set[str], params: "TrainParams", images: int, replicas: Replicas, trainings: int = 1
) -> Feed:
    """Features where the first layers are frozen and computing their outputs once is less work; else images.

    The features serve so many `trainings`, each as `params` say.
    """
    cache = params.cache
    if replicas.count > 1:
        return Feed(None, None, f"images, augmented anew at every step, on {replicas.count} replicas (without cache)")
    if cache.use == "off":
        return Feed(None, None, "images, augmented anew at every step (train.cache.use is off)")
    trunk = trunk_of(network, frozen)
    if trunk is None:
        return Feed(None, None, "images, augmented anew at every step: the first layers are not frozen")
    plan = CachePlan(images, cache.copies, cache.dtype, trunk.specs)
    steps = params.steps * trainings
    images_used = steps * params.batch_size
    if cache.use == "auto" and plan.entries > images_used:
        return Feed(
            None,
            None,
            f"images, augmented anew at every step: {steps} steps use {images_used} images, fewer than the "
            f"{plan.entries} to compute for a cache (train.cache.use: memory caches all the same)",
        )
    where = "memory" if _fits(plan, params) else "a file"
    return Feed(
        trunk,
        plan,
        f"features: the output of {trunk.name} is computed once, for {images} images and {cache.copies} augmented "
        f"copies of each: {plan.size_bytes / 1e6:.0f} MB as {cache.dtype} in {where} (train.cache)",
    )


class BatchSource:
    """Where batches come from: images, or the features of a trunk, all computed when this is made.

    Attributes:
        entries: how many features were computed; 0 where batches hold images.
        seconds: how long that took.
    """

    def __init__(
        self,
        feed: Feed,
        params: "TrainParams",
        shards: list[Path],
        replicas: Replicas,
        *,
        resizer: Resizer,
        max_boxes: int,
        cache_folder: Path,
    ) -> None:
        """Batches of the images in `shards`, as `resizer` scales them; `cache_folder` is for features that do not fit.

        Raises:
            TrainingError: there is no space for the features.
        """
        self._params, self._replicas = params, replicas
        self._shape: dict[str, Any] = {
            "resizer": resizer,
            "max_boxes": max_boxes,
            "augment": Augment(**params.augment.model_dump()),
        }
        self._shards, self._features = shards, None
        start = time.monotonic()
        self.entries = feed.plan.entries if feed.plan else 0
        if feed.trunk is not None and feed.plan is not None:
            self._features = FeatureCache(feed.plan, None if _fits(feed.plan, params) else cache_folder)
            self._features.fill(feed.trunk, shards, **self._shape, seed=params.seed)
        self.seconds = time.monotonic() - start

    def batches(
        self, start_step: int, image_shares: npt.NDArray[np.float64] | None = None, seed: int | None = None
    ) -> Any:
        """`Batch`es without end from step `start_step` on, each replica's own where there are several.

        `image_shares` is how often each image comes in an epoch; None: once. `seed` is of the order and, where batches
        hold images, of their changes; None: that of the params.

        Raises:
            TrainingError: a batch cannot be divided among the replicas.
        """
        params, replicas = self._params, self._replicas
        seed = params.seed if seed is None else seed
        order: dict[str, Any] = {"seed": seed, "start_step": start_step, "image_shares": image_shares}
        if self._features is not None:
            return self._features.batches(batch_size=params.batch_size, **order)
        whole = functools.partial(training_batches, self._shards, batch_size=params.batch_size, **self._shape, **order)
        if replicas.count == 1:
            return whole()
        share = replicas.share(params.batch_size)
        return replicas.distributed(lambda worker: whole(batch_slice=BatchSlice(worker, replicas.workers, share)))


def _fits(plan: CachePlan, params: "TrainParams") -> bool:
    return params.cache.use == "memory" or (
        params.cache.use == "auto" and plan.size_bytes <= params.cache.memory_mb * 1e6
    )
