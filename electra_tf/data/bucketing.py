# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Batches of sequences of about the same length, cut to it: little padding, few shapes."""

import tensorflow as tf

from electra_tf.data import spec

POOL_BATCHES = 64
"""Batches whose sequences are sorted by length together, and then come in random order."""


def pooled_batches(
    records: tf.data.Dataset, batch_size: int, start: int, seed: int
) -> tf.data.Dataset:
    """Cut a stream of records into batches of neighbours in length.

    The order is a function of the seed and the place in the stream, so a run can go on anywhere.

    Args:
        records: serialized, from the beginning of the pool that example `start` is in.
        batch_size: rows of a batch.
        start: examples consumed before, by which batches of the first pool are left out.
        seed: of the order of batches.

    Returns:
        (serialized [batch_size], tokens of the longest one []) without end.
    """
    pool = POOL_BATCHES * batch_size
    number, consumed = divmod(start, pool)
    batches = (
        records.batch(pool, drop_remainder=True)
        .enumerate(number)
        .flat_map(lambda i, serialized: _batches_of_pool(i, serialized, batch_size, seed))
    )
    return batches.skip(consumed // batch_size)


def pool_start(start: int, batch_size: int) -> int:
    """Number of the first example of the pool that example `start` is in."""
    return start - start % (POOL_BATCHES * batch_size)


def bucket_of(longest: tf.Tensor, buckets: tuple[int, ...], max_seq_length: int) -> tf.Tensor:
    """The smallest bucket that holds `longest` tokens, int32 []."""
    lengths = tf.constant([*(b for b in buckets if b < max_seq_length), max_seq_length])
    return lengths[tf.searchsorted(lengths, [longest])[0]]


def _batches_of_pool(number, serialized, batch_size, seed):
    # The mask tells lengths without padding, for padded records too.
    lengths = spec.num_tokens(serialized)
    order = tf.argsort(lengths, stable=True)
    shape = [POOL_BATCHES, batch_size]
    rows = tf.reshape(tf.gather(serialized, order), shape)
    longest = tf.reduce_max(tf.reshape(tf.gather(lengths, order), shape), axis=1)
    numbers = tf.random.stateless_uniform(
        [POOL_BATCHES],
        seed=tf.stack([tf.constant(seed, tf.int64), tf.cast(number, tf.int64)]),
        minval=0,
        maxval=tf.int32.max,
        dtype=tf.int32,
        alg="philox",
    )
    shuffled = tf.argsort(numbers, stable=True)
    return tf.data.Dataset.from_tensor_slices(
        (tf.gather(rows, shuffled), tf.gather(longest, shuffled))
    )
