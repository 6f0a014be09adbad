# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Steps that run one after the other on the device: one compiled program, one call."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from electra_tf.config import check
from electra_tf.training.distribution.workers import Workers


class DeviceLoop:
    """Runs several steps per call inside of the program that a device runs.

    A program is made for one shape of everything, so calls have a fixed number of batches, of
    which only the first ones need be used.

    Args:
        strategy: the replicas.
        step: called in each replica with its rows of the global batch; returns a dict with
            `loss`, this replica's share of the global loss.
        batch_size: rows of a global batch.
        iterations_per_loop: steps of one program, at most.
        jit_compile: compile the program by XLA, on one replica; a TPU's is compiled unasked.

    Raises:
        ValueError: the rows cannot be shared out evenly.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        step: Callable,
        batch_size: int,
        iterations_per_loop: int,
        jit_compile: bool = False,
    ):
        self._strategy = strategy
        self._step = step
        self._rows = rows_of_each(strategy, batch_size)
        self._iterations = iterations_per_loop
        self._first_replica = Workers(strategy).index * Workers(strategy).replicas_each
        self._run = tf.function(self._run_on_replicas, jit_compile=jit_compile or None)

    def __call__(self, batches: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
        """Run one step per batch, of which this process gives its rows.

        Returns:
            The global losses, float32 [steps].
        """
        losses = [
            self._run_alike(part)
            for _, group in itertools.groupby(batches, key=shapes_of)
            for part in _parts(list(group), self._iterations)
        ]
        return np.concatenate([part.numpy() for part in losses])

    def _run_alike(self, batches: Sequence[Mapping[str, np.ndarray]]) -> tf.Tensor:
        """Run one step per batch, at most as many as a program has; all have the same shapes."""
        stacked = {}
        for name, first in batches[0].items():
            rows = np.zeros([self._iterations, *first.shape], first.dtype)
            rows[: len(batches)] = [batch[name] for batch in batches]
            stacked[name] = self._spread(rows)
        return self._run(stacked, tf.constant(len(batches)))[: len(batches)]

    def run_steps(self, stacked: Mapping[str, tf.Tensor], count: tf.Tensor) -> tf.Tensor:
        """What a replica does: its shares of the losses, [iterations], 0 behind `count`.

        Args:
            stacked: its rows of the batches, [iterations, rows, ...].
            count: int32 [], how many of the batches to use.
        """

        def run_step(i: tf.Tensor, losses: tf.Tensor):
            loss = self._step({name: rows[i] for name, rows in stacked.items()})["loss"]
            return i + 1, tf.tensor_scatter_nd_update(losses, [[i]], [loss])

        _, losses = tf.while_loop(
            lambda i, _: i < count,
            run_step,
            (tf.constant(0), tf.zeros([self._iterations])),
            parallel_iterations=1,
        )
        return losses

    def _run_on_replicas(self, stacked: Mapping[str, tf.Tensor], count: tf.Tensor):
        shares = self._strategy.run(self.run_steps, args=(stacked, count))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None)

    def _spread(self, rows: np.ndarray):
        """Each replica's part, on its device."""
        if self._strategy.num_replicas_in_sync == 1:
            return tf.constant(rows)

        def part(context: tf.distribute.experimental.ValueContext):
            replica = context.replica_id_in_sync_group - self._first_replica
            return rows[:, replica * self._rows : (replica + 1) * self._rows]

        return self._strategy.experimental_distribute_values_from_function(part)


def _parts(items: list, size: int) -> list[list]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def shapes_of(batch: Mapping[str, np.ndarray]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Names and shapes of a batch's arrays."""
    return tuple((name, rows.shape) for name, rows in batch.items())


def rows_of_each(strategy: tf.distribute.Strategy, batch_size: int) -> int:
    """Rows of a replica.

    Raises:
        ValueError: the rows of a batch cannot be shared out evenly.
    """
    replicas = strategy.num_replicas_in_sync
    expected = f"a multiple of the {replicas} replicas"
    check(batch_size % replicas == 0, "train_batch_size", expected, batch_size)
    return batch_size // replicas
