# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The processes of a run: which one this is, what they send each other, what they agree on."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.accelerators import arithmetic
from electra_tf.seeds import replica_id
from electra_tf.training.checkpoints.weights import fingerprint, weights_by_name
from electra_tf.training.distribution.coordination import addresses


class Workers:
    """The processes of a strategy. All of them call every method together, or wait forever.

    Args:
        strategy: theirs; default: a separate process.

    Attributes:
        count: how many there are.
        index: which one this is; 0 is the chief, who alone writes files.
        names: of all, with their addresses.
        replicas_each: replicas of one process; this one's are the next after those of the
            processes before it.
        resolver: of their cluster; None if there is one process only.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None):
        self.resolver, self.names, self.index = None, [""], 0
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            self.resolver = strategy.cluster_resolver
            found = addresses(self.resolver)
            self.names = [f"{name} ({address})" for name, address in found.items()]
            own = f"{self.resolver.task_type} {self.resolver.task_id}"
            self.index = list(found).index(own)
            self._strategy = strategy
            signature = [tf.TensorSpec([None, None], tf.float32)]
            self._sum = tf.function(
                self._sum_over_workers, input_signature=signature, autograph=False
            )
        self.count = len(self.names)
        replicas = strategy.num_replicas_in_sync if strategy is not None else 1
        self.replicas_each = replicas // self.count

    @property
    def is_chief(self) -> bool:
        return self.index == 0

    def share_of(self, rows: int) -> slice:
        """Which of the rows of a global batch are this process's."""
        each = rows // self.count
        return slice(self.index * each, (self.index + 1) * each)

    def table(self, values: Sequence[float]) -> np.ndarray:
        """The values of every worker, float32 [workers, values]."""
        own = np.zeros([self.count, len(values)], np.float32)
        own[self.index] = values
        return own if self.count == 1 else self._sum(tf.constant(own)).numpy()

    def maximum(self, value: float) -> float:
        """The largest of the workers' values."""
        return value if self.count == 1 else float(self.table([value]).max())

    def total(self, value: float) -> float:
        """The sum of the workers' values."""
        return value if self.count == 1 else float(self.table([value]).sum())

    def only_chief(self, hold: Callable[[], AbstractContextManager]) -> AbstractContextManager:
        """What `hold` makes, on the chief; on the others something that does nothing."""
        return hold() if self.is_chief else contextlib.nullcontext()

    @contextlib.contextmanager
    def chief_first(self) -> Iterator[None]:
        """Do what is inside on the chief, then on the others, which find the files it wrote."""
        if not self.is_chief:
            self.wait_for_all()
        yield
        if self.is_chief:
            self.wait_for_all()

    def wait_for_all(self) -> None:
        """Return when every worker has come here."""
        self.table([0.0])

    def check_same(self, what: str, values: Mapping[str, Any]) -> None:
        """Raise a ValueError on every worker unless all have the same values, by name.

        The values are such as JSON can hold.
        """
        names = sorted(values)
        # First the names: workers with other programs would not send as many digests.
        self._check_same_digests(what, {"names": names})
        self._check_same_digests(what, {name: values[name] for name in names})

    def _check_same_digests(self, what: str, values: Mapping[str, Any]):
        rows = self.table([part for value in values.values() for part in _digest(value)])
        unlike_chief = (rows != rows[0]).reshape(self.count, len(values), -1).any(axis=2)
        workers = np.flatnonzero(unlike_chief.any(axis=1))
        if workers.size:
            differing = unlike_chief.any(axis=0)
            here = [f"{n}={v!r}" for (n, v), d in zip(values.items(), differing, strict=True) if d]
            raise ValueError(
                f"{what}: all workers are expected to have the same, but "
                f"{', '.join(self.names[i] for i in workers)} and {self.names[0]} differ in "
                f"{len(here)} of {len(values)}; this one has {', '.join(here)}."
            )

    def _sum_over_workers(self, own: tf.Tensor) -> tf.Tensor:
        def first_of_its_worker():
            return tf.where(replica_id() % self.replicas_each == 0, own, tf.zeros_like(own))

        shares = self._strategy.run(first_of_its_worker)
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None)


def _digest(value: Any) -> list[int]:
    """Of what JSON can hold: numbers that float32 holds exactly."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return [int.from_bytes(digest[i : i + 3], "big") for i in (0, 3, 6)]


def check_same_run(workers: Workers, config: Any) -> None:
    """Raise a ValueError unless hyperparameters and arithmetic are the same on all workers."""
    workers.check_same("the hyperparameters", config.without_paths())
    computing = arithmetic(config.precision, config.jit_compile)
    workers.check_same("what the devices compute in", {"arithmetic": computing})
    logging.info("Computing in %s.", computing)


def check_same_weights(workers: Workers, what: str, model: keras.Model) -> None:
    """Raise a ValueError unless the model has the same weights on all workers."""
    if workers.count == 1:
        return
    weights = weights_by_name(model)
    found = fingerprint({n: tf.convert_to_tensor(w).numpy() for n, w in weights.items()})
    workers.check_same(f"{what}, from a folder that all hosts share", {"weights": found})
