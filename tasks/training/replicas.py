"""One network trained on several GPUs or machines as if it were on one.

`tf.distribute.MirroredStrategy` uses all visible GPUs; `MultiWorkerMirroredStrategy` uses the machines that `TF_CONFIG`
names. `train.batch_size` is divided among them. BatchNorm's statistics and the loss's
divisor are taken over the whole batch, so that the number of replicas changes the speed and not what is learned.
"""

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tasks.detector.network import Network
from tasks.errors import TrainingError


class Replicas:
    """Where the copies of the network are, and how they exchange values.

    Attributes:
        strategy: TensorFlow's.
        count: of all machines together.
        workers, worker: how many machines (or processes) there are, and which this is, from 0.
    """

    def __init__(self, strategy: Any) -> None:
        """Use `available_replicas`."""
        self.strategy = strategy
        self.count: int = strategy.num_replicas_in_sync
        resolver = strategy.cluster_resolver
        tasks = [(kind, i) for kind, addresses in _cluster(resolver).items() for i in range(len(addresses))]
        self.workers = max(len(tasks), 1)
        self.worker = tasks.index((resolver.task_type, resolver.task_id)) if tasks else 0

    @property
    def chief(self) -> bool:
        """Whether this process validates, saves and writes the results."""
        return self.worker == 0

    def share(self, batch_size: int) -> int:
        """How many images of each batch one replica gets.

        Raises:
            TrainingError: it cannot be divided.
        """
        if batch_size % self.count:
            raise TrainingError(
                f"train.batch_size {batch_size} cannot be divided among {self.count} replicas; set it to a multiple of "
                f"{self.count}"
            )
        return batch_size // self.count

    def distributed(self, batches_of_worker: Callable[[int], tf.data.Dataset]) -> Any:
        """One dataset that gives every replica its own batches, made of each worker's dataset."""
        return self.strategy.distribute_datasets_from_function(
            lambda context: batches_of_worker(context.input_pipeline_id)
        )

    def run(self, step: Callable[[Any], dict[str, tf.Tensor]], batch: Any) -> dict[str, tf.Tensor]:
        """Run `step` on every replica and return the result of this process's first; call it in a `tf.function`."""
        results = self.strategy.run(step, args=(batch,))
        return {name: self.local(value)[0] for name, value in results.items()}

    def local(self, value: Any) -> Sequence[Any]:
        """The value of each replica of this process."""
        return tuple(self.strategy.experimental_local_results(value))

    def total(self, values: Any) -> Any:
        """The sum over all replicas, of a tensor or a list of them; call it inside a step."""
        if self.count == 1:
            return values
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def agree(self, number: int) -> int:
        """The chief's `number`, on every worker; every worker must call it."""
        if self.workers == 1:
            return number
        own = tf.constant(number if self.chief else 0)

        def add() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            first = tf.cast(tf.equal(context.replica_id_in_sync_group, 0), own.dtype)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, own * first)

        return int(self.local(self.strategy.run(add))[0])


class Copies:
    """The network that the replicas train, and the plain one that is restored into, validated and saved."""

    def __init__(self, plain: Network, trained: Network) -> None:
        """`trained` may be `plain` itself, where there is one replica."""
        self.plain, self.trained = plain, trained

    def spread(self) -> None:
        """Give every replica the plain network's values."""
        if self.trained is not self.plain:
            for key, variable in self.trained.variables.items():
                variable.assign(self.plain.variables[key].numpy())

    def gather(self) -> None:
        """Give the plain network the replicas' values; every worker must call it."""
        if self.trained is not self.plain:
            for key, variable in self.plain.variables.items():
                variable.assign(self.trained.variables[key].numpy())


def available_replicas() -> Replicas:
    """The machines that `TF_CONFIG` names, else the visible GPUs, else one replica; call it before any computation.

    Raises:
        TrainingError: TF_CONFIG cannot be understood.
    """
    if len(_worker_addresses()) > 1:
        return Replicas(tf.distribute.MultiWorkerMirroredStrategy())
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return Replicas(tf.distribute.MirroredStrategy())
    return Replicas(tf.distribute.get_strategy())


def _worker_addresses() -> list[str]:
    """The addresses in TF_CONFIG (tensorflow.org/guide/distributed_training); none where it is not set."""
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return []
    try:
        config = json.loads(text)
        addresses = [address for kind in ("chief", "worker") for address in config["cluster"].get(kind, [])]
        config["task"]["type"], int(config["task"]["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            'TF_CONFIG: expected {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}, '
            f"but got {text[:200]!r}"
        ) from error
    return addresses


def _cluster(resolver: Any) -> dict[str, list[str]]:
    return dict(resolver.cluster_spec().as_dict()) if resolver and resolver.task_type else {}
