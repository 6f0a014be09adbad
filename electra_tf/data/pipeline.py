# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""tf.data pipelines over pre-training records: endless for training, one pass for evaluation.

The order in which training reads examples is a pure function of the seed (`EpochOrder`). Batches
may have sequences of about the same length and be cut to it: little padding, few shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf.data import spec

POOL_BATCHES = 64
"""Batches whose sequences are sorted by length together, and then come in random order."""


class Span(NamedTuple):
    """A part of a stream of examples that is read in batches of one size."""

    begin: int = 0
    """Number of its first example."""
    end: int | None = None
    """Number of the first example after it, if there is one."""


ENDLESS = Span()
"""Of a stream that is read in batches of one size only."""


def pooled_batches(
    records: tf.data.Dataset, batch_size: int, start: int, seed: int, span: Span
) -> tf.data.Dataset:
    """Cut a stream of records into batches of neighbours in length.

    The order is a function of the seed, the place in the stream and the span, so a run can resume
    anywhere in it.

    Args:
        records: serialized, from the beginning of the pool that example `start` is in.
        batch_size: rows of a batch.
        start: examples consumed before, by which batches of the first pool are left out.
        seed: of the order of batches.
        span: where the first pool begins and the last one ends, whole batches apart.

    Returns:
        (serialized [batch_size], tokens of the longest one []) up to the end of the span.
    """
    first = pool_at(start, batch_size, span).begin
    if span.end is not None:
        records = records.take(span.end - first)
    pool = POOL_BATCHES * batch_size
    batches = (
        records.batch(pool)
        .enumerate()
        .flat_map(lambda i, pooled: _batches_of_pool(first + i * pool, pooled, batch_size, seed))
    )
    return batches.skip((start - first) // batch_size)


def pool_at(example: int, batch_size: int, span: Span) -> Span:
    """The pool that an example is in."""
    size = POOL_BATCHES * batch_size
    begin = example - (example - span.begin) % size
    return Span(begin, begin + size if span.end is None else min(begin + size, span.end))


def bucket_of(longest: tf.Tensor, buckets: tuple[int, ...], max_seq_length: int) -> tf.Tensor:
    """The smallest bucket that holds `longest` tokens, int32 []."""
    lengths = tf.constant([*(b for b in buckets if b < max_seq_length), max_seq_length])
    return lengths[tf.searchsorted(lengths, [longest])[0]]


def _batches_of_pool(first: tf.Tensor, serialized: tf.Tensor, batch_size: int, seed: int):
    """Batches of the pool that begins with the example number `first`."""
    # The mask gives lengths without padding, for padded records too.
    lengths = spec.num_tokens(serialized)
    order = tf.argsort(lengths, stable=True)
    rows = tf.reshape(tf.gather(serialized, order), [-1, batch_size])
    longest = tf.reduce_max(tf.reshape(tf.gather(lengths, order), [-1, batch_size]), axis=1)
    shuffled = tf.argsort(_drawn(tf.shape(longest), seed, first), stable=True)
    return tf.data.Dataset.from_tensor_slices(
        (tf.gather(rows, shuffled), tf.gather(longest, shuffled))
    )


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
        return tf.cast(_drawn([], self.seed, 2 * tf.cast(window, tf.int64) + 1), tf.int64)

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
        return tf.argsort(_drawn([len(self.counts)], self.seed, 2 * epoch), stable=True)


def _drawn(shape: Sequence[int] | tf.Tensor, seed: int, number: tf.Tensor) -> tf.Tensor:
    """Non-negative int32 numbers that depend on the seed and `number` only."""
    return tf.random.stateless_uniform(
        shape,
        seed=tf.stack([tf.constant(seed, tf.int64), number]),
        minval=0,
        maxval=tf.int32.max,
        dtype=tf.int32,
        alg="philox",
    )


_MAX_OPEN_FILES = 16
_INTERLEAVE_BLOCK = 8
_READ_BUFFER_BYTES = 1 << 20
_GRAPH_SEED = 1  # not 0: tf.data then compares the other seed, a tensor, as a Python value


@tf.autograph.experimental.do_not_convert
def training_batches(
    files: tuple[str, ...],
    order: EpochOrder,
    batch_size: int,
    max_seq_length: int,
    features: tuple[str, ...],
    start: int,
    worker_index: int,
    num_workers: int,
    buckets: tuple[int, ...],
    span: Span,
) -> tf.data.Dataset:
    """Batches in the given order; B = batch_size / num_workers rows of each global batch.

    `features` are the optional ones that the records have. With `buckets`, lengths in tokens,
    batches are those of `pooled_batches`, cut. They end with the span, if it has an end.

    Records stay serialized until the batch is cut, so that a worker parses its own rows only.
    """
    first = pool_at(start, batch_size, span).begin if buckets else start
    position = order.position(first)
    skip = tf.constant(position.skip, tf.int64)
    rows = batch_size // num_workers

    def window_records(window: tf.Tensor) -> tf.data.Dataset:
        # `shuffle` mixes the graph's seed with its own; a fixed one here keeps the order free of
        # whatever seed the program has set.
        tf.compat.v1.set_random_seed(_GRAPH_SEED)
        records = tf.data.Dataset.from_tensor_slices(
            tf.gather(tf.constant(files), order.shards_of(window))
        ).interleave(
            _read,
            cycle_length=min(order.shards_per_window, _MAX_OPEN_FILES),
            block_length=_INTERLEAVE_BLOCK,
        )
        records = records.shuffle(
            SHUFFLE_BUFFER, seed=order.shuffle_seed_of(window), reshuffle_each_iteration=False
        )
        return records.skip(skip * tf.cast(window == position.window, tf.int64))

    def parse_own_rows(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        own = serialized[worker_index * rows : (worker_index + 1) * rows]
        return spec.parse(own, max_seq_length, features)

    def parse_and_cut(serialized: tf.Tensor, longest: tf.Tensor) -> dict[str, tf.Tensor]:
        length = bucket_of(longest, buckets, max_seq_length)
        return {name: rows[:, :length] for name, rows in parse_own_rows(serialized).items()}

    dataset = tf.data.Dataset.range(position.window, tf.int64.max).flat_map(window_records)
    if buckets:
        dataset = pooled_batches(dataset, batch_size, start, order.seed, span)
        dataset = dataset.map(parse_and_cut, num_parallel_calls=tf.data.AUTOTUNE)
    else:
        dataset = dataset.batch(batch_size, drop_remainder=True)
        if span.end is not None:
            dataset = dataset.take((span.end - start) // batch_size)
        dataset = dataset.map(parse_own_rows, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(_options())


@tf.autograph.experimental.do_not_convert
def evaluation_batches(
    files: tuple[str, ...], batch_size: int, max_seq_length: int, features: tuple[str, ...]
) -> tf.data.Dataset:
    """All records once in file order; rows of zeros fill up the last batch."""

    def parse_and_fill(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = spec.parse(serialized, max_seq_length, features)
        missing = batch_size - tf.shape(serialized)[0]
        return {
            name: tf.ensure_shape(
                tf.pad(rows, [[0, missing], [0, 0]]), [batch_size, max_seq_length]
            )
            for name, rows in batch.items()
        }

    dataset = tf.data.Dataset.from_tensor_slices(list(files)).flat_map(_read).batch(batch_size)
    dataset = dataset.map(parse_and_fill, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(_options())


def _read(file: tf.Tensor) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(file, buffer_size=_READ_BUFFER_BYTES)


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    # A worker takes its rows by index; files must not be divided once more.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
