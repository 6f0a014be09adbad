# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The order in which training reads examples, as a pure function of the seed."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

SHUFFLE_BUFFER = 16384
"""Examples among which one is drawn; shards are already shuffled when they are built."""

_MIN_SHARDS_PER_WINDOW = 4


class Position(NamedTuple):
    """A place in the endless sequence of examples."""

    window: int
    """Number of the window, counted over all epochs."""

    skip: int
    """Examples of that window that come before the place."""


@dataclass(frozen=True)
class EpochOrder:
    """Every epoch permutes the shards and cuts them in windows that are shuffled one by one.

    Shuffling window by window bounds what has to be read again to resume in the middle of an epoch.
    """

    counts: tuple[int, ...]
    """Examples of each shard, in file order."""

    seed: int

    @property
    def num_examples(self) -> int:
        """Examples of an epoch."""
        return sum(self.counts)

    @property
    def shards_per_window(self) -> int:
        """Shards of a window (the last of an epoch may have fewer); many where shards are small."""
        mean = max(1, self.num_examples // len(self.counts))
        wanted = max(_MIN_SHARDS_PER_WINDOW, -(-SHUFFLE_BUFFER // mean))
        return min(wanted, len(self.counts))

    @property
    def windows_per_epoch(self) -> int:
        """Number of windows."""
        return -(-len(self.counts) // self.shards_per_window)

    def shards_of(self, window: tf.Tensor | int) -> tf.Tensor:
        """Indices [shards_per_window or fewer] of the shards that a window reads."""
        window = tf.cast(window, tf.int64)
        epoch, place = window // self.windows_per_epoch, window % self.windows_per_epoch
        first = place * self.shards_per_window
        return self._permutation(epoch)[first : first + self.shards_per_window]

    def shuffle_seed_of(self, window: tf.Tensor | int) -> tf.Tensor:
        """Seed (int64 scalar) of the shuffling inside a window."""
        return tf.cast(self._draw([], 2 * tf.cast(window, tf.int64) + 1), tf.int64)

    def position(self, start: int) -> Position:
        """Where the example number `start` (counted over all epochs) stands."""
        epoch, rest = divmod(start, self.num_examples)
        shards = self._permutation(tf.constant(epoch, tf.int64)).numpy()
        firsts = range(0, len(shards), self.shards_per_window)
        sizes = np.add.reduceat(np.asarray(self.counts)[shards], firsts)
        ends = np.cumsum(sizes)
        place = int(np.searchsorted(ends, rest, side="right"))
        skip = rest - int(ends[place] - sizes[place])
        return Position(epoch * self.windows_per_epoch + place, skip)

    def _permutation(self, epoch: tf.Tensor) -> tf.Tensor:
        return tf.argsort(self._draw([len(self.counts)], 2 * epoch), stable=True)

    def _draw(self, shape: list[int], number: tf.Tensor) -> tf.Tensor:
        """Non-negative int32 numbers that depend on the seed and `number` only."""
        return tf.random.stateless_uniform(
            shape,
            seed=tf.stack([tf.constant(self.seed, tf.int64), number]),
            minval=0,
            maxval=tf.int32.max,
            dtype=tf.int32,
            alg="philox",
        )
