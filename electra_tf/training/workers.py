# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The processes of a run: which one this is, and what they tell each other."""

import hashlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from electra_tf.training.coordination import addresses


class Workers:
    """The processes of a strategy. All of them call every method together, or wait forever.

    Args:
        strategy: theirs; default: a process of its own.

    Attributes:
        count: how many there are.
        index: which one this is; 0 is the chief, who alone writes files.
        names: of all, with their addresses.
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
            self._sum = tf.function(self._sum_over_workers)
        self.count = len(self.names)

    @property
    def is_chief(self) -> bool:
        return self.index == 0

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

    def wait_for_all(self):
        """Return when every worker has come here."""
        self.table([0.0])

    def check_same(self, what: str, value: str):
        """Raise a ValueError on every worker unless all have the same value.

        Args:
            what: name of the value, for the message.
        """
        digest = hashlib.sha256(value.encode()).digest()
        rows = self.table([int.from_bytes(digest[i : i + 3], "big") for i in (0, 3, 6)])
        differing = np.flatnonzero((rows != rows[0]).any(axis=1))
        if differing.size:
            raise ValueError(
                f"{what} is expected to be the same on all workers, but is not on "
                f"{self.names[0]} and {', '.join(self.names[i] for i in differing)}; "
                f"here: {value}."
            )

    def _sum_over_workers(self, own: tf.Tensor) -> tf.Tensor:
        replicas = self._strategy.num_replicas_in_sync // self.count

        def first_of_its_worker():
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            return tf.where(replica % replicas == 0, own, tf.zeros_like(own))

        shares = self._strategy.run(first_of_its_worker)
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None)
