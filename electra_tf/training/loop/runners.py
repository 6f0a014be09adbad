# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Several steps per call: each on all replicas, or all of them in one program of the device."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from electra_tf.accelerators import is_compiled
from electra_tf.config import check
from electra_tf.training.distribution.replicas import is_distributed, rows_of_replica
from electra_tf.training.distribution.workers import Workers
from electra_tf.training.private_tensorflow import without_memory_rewrites

STEPS_PER_PROGRAM = 32
"""Of a GPU: what a call costs is spread over them, and its batches take little memory."""

Batch = Mapping[str, np.ndarray]
Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Names and shapes of a batch's arrays."""


class StepRunner:
    """Compiles `step` into a function that runs several steps per call on all replicas.

    Args:
        strategy: the replicas.
        step: called in each replica with its rows of the global batch; returns a dict with
            `loss`, this replica's share of the global loss.
        batch_size: rows of a global batch, over all processes.

    Raises:
        ValueError: the rows cannot be shared out evenly.
    """

    def __init__(self, strategy: tf.distribute.Strategy, step: Callable, batch_size: int):
        self._strategy = strategy
        self._step = step
        self._rows = rows_of_each(strategy, batch_size)
        self._workers = Workers(strategy)
        self._functions = {}

    def __call__(self, batches: Sequence[Batch]) -> np.ndarray:
        """Run one step per batch, of which this process gives its rows.

        Returns:
            The global losses, float32 [steps].
        """
        groups = itertools.groupby(batches, key=_shapes_of)
        losses = [loss for shapes, alike in groups for loss in self._run_alike(shapes, [*alike])]
        return np.concatenate([part.numpy() for part in losses])

    def _run_alike(self, shapes: Shapes, batches: Sequence[Batch]) -> list[tf.Tensor]:
        """Run one step per batch, all of which have the same shapes; the losses, in parts."""
        if shapes not in self._functions:
            # Traced once, for any number of steps.
            signature = {
                name: tf.TensorSpec([None, *shape], batches[0][name].dtype)
                for name, shape in shapes
            }
            self._functions[shapes] = tf.function(
                self._run_steps, input_signature=[signature], autograph=False
            )
        stacked = {name: np.stack([batch[name] for batch in batches]) for name in batches[0]}
        inputs = {name: tf.constant(rows) for name, rows in stacked.items()}
        with without_memory_rewrites():
            return [self._functions[shapes](inputs)]

    def _run_steps(self, stacked: Mapping[str, tf.Tensor]):
        steps = tf.shape(next(iter(stacked.values())))[0]

        def run_step(i: tf.Tensor, losses: tf.TensorArray):
            batch = {name: rows[i] for name, rows in stacked.items()}
            shares = self._strategy.run(self._replica_step, args=(batch,))
            loss = self._strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None)
            return i + 1, losses.write(i, loss)

        state = tf.constant(0), tf.TensorArray(tf.float32, steps)
        _, losses = tf.while_loop(lambda i, _: i < steps, run_step, state)
        return losses.stack()

    def _replica_step(self, batch: Mapping[str, tf.Tensor]):
        own = rows_of_replica(batch, self._rows, self._workers.replicas_each)
        return self._step(own)["loss"]


class DeviceLoop(StepRunner):
    """Runs several steps per call inside of the program that a device runs.

    A program is made for one shape of everything, so calls have a fixed number of batches, of
    which only the first ones need be used.

    Args:
        strategy: see `StepRunner`.
        step: likewise.
        batch_size: likewise.
        iterations_per_loop: steps of one program, at most.
        jit_compile: compile the program by XLA, on one replica; a TPU's is compiled unasked.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        step: Callable,
        batch_size: int,
        iterations_per_loop: int,
        jit_compile: bool = False,
    ):
        super().__init__(strategy, step, batch_size)
        self._iterations = iterations_per_loop
        self._run = tf.function(
            self._run_on_replicas, jit_compile=jit_compile or None, autograph=False
        )

    def _run_alike(self, shapes: Shapes, batches: Sequence[Batch]) -> list[tf.Tensor]:
        starts = range(0, len(batches), self._iterations)
        return [self._run_program(batches[i : i + self._iterations]) for i in starts]

    def _run_program(self, batches: Sequence[Batch]) -> tf.Tensor:
        """Run one step per batch, at most as many as a program has."""
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
            replica = context.replica_id_in_sync_group % self._workers.replicas_each
            return rows[:, replica * self._rows : (replica + 1) * self._rows]

        return self._strategy.experimental_distribute_values_from_function(part)


def make_runner(
    strategy: tf.distribute.Strategy,
    step: Callable,
    batch_size: int,
    iterations_per_loop: int,
    jit_compile: bool | None = None,
) -> StepRunner:
    """What runs the steps on a strategy; the loop around compiled ones is on the device.

    On a GPU, a step's thousands of kernels are started as one CUDA graph. The memory it works on
    stays in place within a program only, so one for each step would have the graph rewritten.

    Args:
        strategy: the replicas. XLA compiles the loop on TPUs, and on a single device if asked;
            a strategy that sums gradients runs the steps itself.
        step: see `StepRunner`.
        batch_size: rows of a global batch, over all processes.
        iterations_per_loop: steps of one host call, at most.
        jit_compile: compile by XLA; default: as is best on the devices.
    """
    if isinstance(strategy, tf.distribute.TPUStrategy):
        return DeviceLoop(strategy, step, batch_size, iterations_per_loop)
    if not is_distributed(strategy) and is_compiled(jit_compile):
        count = min(iterations_per_loop, STEPS_PER_PROGRAM)
        return DeviceLoop(strategy, step, batch_size, count, jit_compile=True)
    return StepRunner(strategy, step, batch_size)


def _shapes_of(batch: Batch) -> Shapes:
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
