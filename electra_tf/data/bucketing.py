# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Batches of sequences of about the same length, cut to it: little padding, few shapes."""

from typing import NamedTuple

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

    The order is a function of the seed, the place in the stream and the span, so a run can go on
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
    # The mask tells lengths without padding, for padded records too.
    lengths = spec.num_tokens(serialized)
    order = tf.argsort(lengths, stable=True)
    rows = tf.reshape(tf.gather(serialized, order), [-1, batch_size])
    longest = tf.reduce_max(tf.reshape(tf.gather(lengths, order), [-1, batch_size]), axis=1)
    numbers = tf.random.stateless_uniform(
        tf.shape(longest),
        seed=tf.stack([tf.constant(seed, tf.int64), first]),
        minval=0,
        maxval=tf.int32.max,
        dtype=tf.int32,
        alg="philox",
    )
    shuffled = tf.argsort(numbers, stable=True)
    return tf.data.Dataset.from_tensor_slices(
        (tf.gather(rows, shuffled), tf.gather(longest, shuffled))
    )
