# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exponential moving averages of weights, which often do better than the last weights."""

import contextlib
from collections.abc import Iterator, Mapping

import tensorflow as tf

SUFFIX = "/ema"
"""Of the names of averages in checkpoints."""


class WeightAverages:
    """Averages that follow the weights: average += (1 - decay) * (weight - average).

    Args:
        weights: by name.
        decay: in (0, 1); averages reach back about 1 / (1 - decay) updates.
    """

    def __init__(self, weights: Mapping[str, tf.Variable], decay: float):
        self.decay = decay
        self._weights = dict(weights)
        # Every replica comes to the same value, so any of them will do.
        self._averages = {
            name: tf.Variable(
                weight,
                trainable=False,
                name=f"{name}{SUFFIX}",
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for name, weight in self._weights.items()
        }

    @property
    def state(self) -> dict[str, tf.Variable]:
        """What a checkpoint has of it."""
        return {f"{name}{SUFFIX}": average for name, average in self._averages.items()}

    def update(self) -> None:
        """Follow the weights, after an update of theirs."""
        for name, average in self._averages.items():
            average.assign_add((1.0 - self.decay) * (self._weights[name] - average))

    def reset(self) -> None:
        """Begin anew from the weights as they are."""
        for name, average in self._averages.items():
            average.assign(self._weights[name])

    @contextlib.contextmanager
    def in_place_of_weights(self) -> Iterator[None]:
        """The model computes with the averages inside."""
        kept = {name: tf.identity(weight) for name, weight in self._weights.items()}
        for name, weight in self._weights.items():
            weight.assign(tf.identity(self._averages[name]))
        try:
            yield
        finally:
            for name, weight in self._weights.items():
                weight.assign(kept[name])
