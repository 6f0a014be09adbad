# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The one place where segments become `[CLS] a [SEP] b [SEP]`."""

import typing

import tensorflow as tf


class PackedSegments(typing.NamedTuple):
    """Ragged int32 [B, length]: token ids, and 0 for the first and 1 for the second segment."""

    input_ids: tf.RaggedTensor
    segment_ids: tf.RaggedTensor


def pack_segments(first, second, cls_id, sep_id):
    """Joins one or two segments per row with the special tokens; cuts nothing.

    first: ragged int [B, tokens]. second: the same, or None; an empty row means no second segment.

    With [CLS] = 2 and [SEP] = 3, the rows of first = [[7, 8], [9]] and second = [[5], []] become
    input_ids = [[2, 7, 8, 3, 5, 3], [2, 9, 3]] and segment_ids = [[0, 0, 0, 0, 1, 1], [0, 0, 0]].
    """
    first = tf.cast(first, tf.int32)
    rows = first.nrows()
    cls_column = tf.fill([rows, 1], tf.cast(cls_id, tf.int32))
    sep_column = tf.fill([rows, 1], tf.cast(sep_id, tf.int32))
    head = tf.concat([cls_column, first, sep_column], axis=1)
    if second is None:
        return PackedSegments(head, tf.zeros_like(head))
    second = tf.cast(second, tf.int32)
    sep_if_filled = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.math.count_nonzero(second.row_lengths())], tf.cast(sep_id, tf.int32)),
        tf.cast(second.row_lengths() > 0, tf.int64),
    )
    tail = tf.concat([second, sep_if_filled], axis=1)
    return PackedSegments(
        tf.concat([head, tail], axis=1),
        tf.concat([tf.zeros_like(head), tf.ones_like(tail)], axis=1),
    )
