# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What `fit` gives to Keras: batches in the order of a run, and its own callbacks."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from electra_tf.config.fields import check, is_whole
from electra_tf.finetuning.split_data import SplitData, TrainingBatches


def position_of(
    batches: TrainingBatches, steps_per_epoch: int | None, epochs: int | None, default: float
) -> "Position":
    """The steps of a whole `fit`.

    Args:
        batches: of the run.
        steps_per_epoch: of Keras' epochs; None for as many as read every row once.
        epochs: None for the default.
        default: num_train_epochs, of which the last one may be a part.

    Raises:
        ValueError: a number is not at least 1.
    """
    for name, value in (("steps_per_epoch", steps_per_epoch), ("epochs", epochs)):
        check(value is None or _is_count(value), name, "a number of at least 1", value)
    steps = steps_per_epoch or batches.steps_per_epoch
    if epochs is not None:
        return Position(steps * epochs, steps)
    if steps_per_epoch is None:
        return Position(batches.num_steps(default), steps)
    return Position(steps * math.ceil(default), steps)


def checked_size(batch_size: int | None, default: int) -> int:
    """Rows of a batch: what is given, or else the default.

    Raises:
        ValueError: it is not at least 1.
    """
    size = default if batch_size is None else batch_size
    check(_is_count(size), "batch_size", "a number of at least 1", batch_size)
    return size


def _is_count(value: Any) -> bool:
    return is_whole(value) and value >= 1


def row_weights(data: SplitData, weights: np.ndarray | None) -> dict[str, np.ndarray]:
    """`sample_weight` of the rows, float32, from the weights of examples; empty for None."""
    if weights is None:
        return {}
    windows = data.windows
    example = data.arrays[f"{data.task.name}_eid"] if windows is None else windows.question
    return {"sample_weight": weights[example]}


class Position(keras.callbacks.Callback):
    """Where in the order of its batches training begins, and where it ends.

    Args:
        num_steps: of all epochs; the last one may end in the middle of an epoch.
        steps_per_epoch: of each epoch.

    Attributes:
        first_step: updates of the optimizer before the first epoch, of which other callbacks may
            have restored some.
    """

    def __init__(self, num_steps: int, steps_per_epoch: int):
        super().__init__()
        self.first_step: int | None = None
        self.num_steps = num_steps
        self.steps_per_epoch = steps_per_epoch
        self._before = 0

    @property
    def num_epochs(self) -> int:
        """Epochs, the last one maybe a part of one."""
        return math.ceil(self.num_steps / self.steps_per_epoch)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self.first_step is None:
            self.first_step = int(self.model.optimizer.iterations.numpy())
        self._before = epoch * self.steps_per_epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._before + batch + 1 >= self.num_steps:
            self.model.stop_training = True


class Validation(keras.callbacks.Callback):
    """Adds scores to the logs of epochs, where other callbacks find them.

    Args:
        measure: gives the scores by name.
        every: epochs from one evaluation to the next.
    """

    def __init__(self, measure: Callable[[], Mapping[str, float]], every: int):
        super().__init__()
        self._measure = measure
        self._every = every

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None and (epoch + 1) % self._every == 0:
            logs.update({f"val_{name}": value for name, value in self._measure().items()})
