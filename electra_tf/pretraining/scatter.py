# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Gathering from and writing to positions of sequences."""

import tensorflow as tf


def gather_positions(sequence: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """The values of `sequence` [B, L, ...] at `positions` int [B, N]: [B, N, ...]."""
    return tf.gather(sequence, positions, batch_dims=1)


def neighbours(before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """At each position `before` of the position on its left and `after` of that on its right.

    Ends wrap around, as in the original; [CLS] and [SEP] or padding stand there.

    Args:
        before, after: [B, L, H].

    Returns:
        [B, L, 2 H].
    """
    # tf.roll would do, but LiteRT does not have it.
    left = tf.concat([before[:, -1:], before[:, :-1]], axis=1)
    right = tf.concat([after[:, 1:], after[:, :1]], axis=1)
    return tf.concat([left, right], axis=-1)


def replace_positions(
    ids: tf.Tensor, positions: tf.Tensor, new_ids: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Write new ids into sequences; where a position occurs twice, its first entry wins.

    ids [[7, 8, 9]], positions [[2, 2, 1]], new_ids [[5, 6, 4]], weights [[1, 1, 0]]
    gives [[7, 8, 5]] and [[False, False, True]].

    Args:
        ids: int32 [B, L].
        positions: int32 [B, N].
        new_ids: int32 [B, N].
        weights: [B, N]; entries of weight 0 write nothing.

    Returns:
        The new ids int32 [B, L], and where something was written, bool [B, L].
    """
    hits = (positions[:, :, None] == tf.range(tf.shape(ids)[1])) & (weights[:, :, None] > 0)
    first = tf.argmax(tf.cast(hits, tf.int32), axis=1, output_type=tf.int32)  # [B, L]
    written = tf.reduce_any(hits, axis=1)
    return tf.where(written, gather_positions(new_ids, first), ids), written
