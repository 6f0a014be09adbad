# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows of all tasks of a run as batches: for training by the number of the step, and in order."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

Arrays = dict[str, np.ndarray]


class TrainingBatches:
    """Batches of every row of every task once an epoch, so tasks are mixed by their sizes.

    What a step reads is a function of (seed, step). The last batch of an epoch is filled with
    rows of no task: their `task_id` is the number of tasks, everything else is 0. Features that
    a row's task does not have are 0, too.

    Args:
        parts: arrays of each task, in the order of their `task_id`.
        batch_size: rows of a batch.
        seed: of the order.
    """

    def __init__(self, parts: Sequence[Arrays], batch_size: int, seed: int):
        self._parts = list(parts)
        self._batch_size = batch_size
        self._seed = seed
        sizes = [len(part["task_id"]) for part in parts]
        self.num_rows = sum(sizes)
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        self._shapes = {
            name: (rows.shape[1:], rows.dtype) for part in parts for name, rows in part.items()
        }

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.num_rows / self._batch_size)

    def num_steps(self, num_epochs: float) -> int:
        """Steps of a run (preprocessing.py _serialize_dataset): rows are padded before dividing.

        Raises:
            ValueError: there is not one step.
        """
        steps = int(self.steps_per_epoch * num_epochs)
        if steps < 1:
            raise ValueError(
                f"num_train_epochs is expected to give at least one step of the "
                f"{self.steps_per_epoch} of an epoch, but is {num_epochs}."
            )
        return steps

    def batch(self, step: int) -> Arrays:
        """The batch of step number `step`, from 0."""
        epoch, index = divmod(step, self.steps_per_epoch)
        order = self._order(epoch)
        return self._gather(order[index * self._batch_size : (index + 1) * self._batch_size])

    def iterate(self, first_step: int) -> Iterator[Arrays]:
        """All batches from a step on, without end."""
        step = first_step
        while True:
            yield self.batch(step)
            step += 1

    def _order(self, epoch: int) -> np.ndarray:
        if getattr(self, "_last", (None, None))[0] != epoch:
            generator = np.random.default_rng([self._seed, epoch])
            self._last = (epoch, generator.permutation(self.num_rows))
        return self._last[1]

    def _gather(self, rows: np.ndarray) -> Arrays:
        batch = empty_rows(self._shapes, self._batch_size, len(self._parts))
        places = np.arange(len(rows))
        for part, start, end in zip(self._parts, self._starts, self._ends, strict=True):
            mine = (rows >= start) & (rows < end)
            for name, values in part.items():
                batch[name][places[mine]] = values[rows[mine] - start]
        return batch


def empty_rows(
    shapes: Mapping[str, tuple[tuple[int, ...], np.dtype]], count: int, num_tasks: int
) -> Arrays:
    """Rows of no task.

    Args:
        shapes: name -> (shape of a row, dtype).
        count: number of rows.
        num_tasks: number of tasks of the model; the rows' `task_id`.
    """
    batch = {name: np.zeros((count, *shape), dtype) for name, (shape, dtype) in shapes.items()}
    batch["task_id"][:] = num_tasks
    return batch


def ordered_batches(arrays: Arrays, batch_size: int) -> Iterator[tuple[Arrays, np.ndarray]]:
    """All rows once, in order; the last batch is filled up with zeros.

    Yields:
        A batch, and is_real bool [batch_size], false for the rows that fill it.
    """
    count = len(arrays["input_ids"])
    for start in range(0, count, batch_size):
        rows = {name: values[start : start + batch_size] for name, values in arrays.items()}
        real = min(batch_size, count - start)
        if real < batch_size:
            rows = {
                name: np.concatenate(
                    [values, np.zeros((batch_size - real, *values.shape[1:]), values.dtype)]
                )
                for name, values in rows.items()
            }
        yield rows, np.arange(batch_size) < real
