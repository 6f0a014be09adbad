# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What ragged tensors lack."""

import tensorflow as tf


def row_numbers(row_splits: tf.Tensor) -> tf.Tensor:
    """The row of every value: splits [0, 2, 2, 5] give [0, 0, 2, 2, 2].

    `RaggedTensor.value_rowids` says the same by way of a mask [rows, longest row], which takes too
    much time and memory where one of many rows is long.

    Args:
        row_splits: int64 [rows + 1].

    Returns:
        int64 [values].
    """
    starts = row_splits[1:-1, None]
    begun = tf.zeros([row_splits[-1] + 1], row_splits.dtype)
    begun = tf.tensor_scatter_nd_add(begun, starts, tf.ones_like(starts[:, 0]))
    return tf.cumsum(begun)[:-1]


def part_starts(parts: tf.RaggedTensor, separator_bytes: int) -> tf.Tensor:
    """Where each part of a split text begins in it, int64 [parts].

    Args:
        parts: strings [B, parts], as `tf.strings.split` gives them.
        separator_bytes: length of what stood between them.
    """
    lengths = tf.cast(tf.strings.length(parts.flat_values), tf.int64) + separator_bytes
    before = tf.cumsum(lengths, exclusive=True)
    row_splits = tf.cast(parts.row_splits, tf.int64)
    firsts = tf.gather(tf.concat([before, [0]], 0), row_splits[:-1])
    return before - tf.gather(firsts, row_numbers(row_splits))
