# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The one place where texts become rows: cut to what fits, `[CLS] a [SEP] b [SEP]`, filled up."""

import typing

import tensorflow as tf

from electra_tf.text.tokenizer import Tokenizer
from electra_tf.text.vocabulary import Vocabulary


class PackedSegments(typing.NamedTuple):
    """Ragged int32 [B, length]: token ids, and 0 for the first and 1 for the second segment."""

    input_ids: tf.RaggedTensor
    segment_ids: tf.RaggedTensor


def text_batch(
    tokenizer: Tokenizer,
    first: tf.Tensor,
    second: tf.Tensor | None,
    max_seq_length: int,
    length: int | None = None,
) -> dict[str, tf.Tensor]:
    """Rows of texts [B], or pairs of them (second is not None); what is too long is cut.

    An empty text is `[CLS] [SEP]`; an empty second text is left out with its `[SEP]`.

    Args:
        tokenizer: for both.
        first: string [B].
        second: string [B]; None for single texts.
        max_seq_length: the most tokens of a row, with [CLS] and [SEP].
        length: as in `packed_batch`.
    """
    ids = tokenizer(first)
    others = None if second is None else tokenizer(second)
    counts = tf.zeros_like(ids.row_lengths()) if others is None else others.row_lengths()
    kept = kept_lengths(ids.row_lengths(), counts, max_seq_length)
    others = None if others is None else heads(others, kept[1])
    return packed_batch(heads(ids, kept[0]), others, tokenizer.vocabulary, length)


def kept_lengths(
    first: tf.Tensor, second: tf.Tensor, max_seq_length: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """How many tokens of each text of a row fit, beside [CLS] and one [SEP] per filled text.

    A pair that is too long loses tokens of its longer text, of the second if both are of one
    length (classification_tasks.py:289-306).

    Args:
        first: numbers of tokens, int64 [B].
        second: the same; 0 where there is no second text.
        max_seq_length: the most tokens of a row, with [CLS] and [SEP].
    """
    return shares_of_room(first, second, max_seq_length - 2 - tf.cast(second > 0, tf.int64))


def shares_of_room(
    first: tf.Tensor, second: tf.Tensor, room: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """How many tokens of each of two texts fit into a room, see `kept_lengths`; all int64 [B]."""
    larger_half = (room + 1) // 2
    return (
        tf.minimum(first, tf.maximum(larger_half, room - second)),
        tf.minimum(second, tf.maximum(room - larger_half, room - first)),
    )


def heads(ragged: tf.RaggedTensor, lengths: tf.Tensor) -> tf.RaggedTensor:
    """The first lengths[i] values of row i; no row is shorter."""
    starts = ragged.row_starts()
    places = tf.ragged.range(starts, starts + tf.cast(lengths, starts.dtype))
    return tf.RaggedTensor.from_row_splits(
        tf.gather(ragged.flat_values, places.flat_values), places.row_splits, validate=False
    )


def packed_batch(
    first: tf.RaggedTensor,
    second: tf.RaggedTensor | None,
    vocabulary: Vocabulary,
    length: int | None = None,
) -> dict[str, tf.Tensor]:
    """`input_ids, input_mask, segment_ids` int32 [B, L] of rows that fit.

    Args:
        first: ragged ids int [B, tokens].
        second: the same, or None (see `pack_segments`).
        vocabulary: has the special tokens.
        length: L; by default that of the longest row.
    """
    packed = pack_segments(first, second, vocabulary.cls_id, vocabulary.sep_id)
    return {
        "input_ids": dense(packed.input_ids, vocabulary.pad_id, length),
        "input_mask": dense(tf.ones_like(packed.input_ids), 0, length),
        "segment_ids": dense(packed.segment_ids, 0, length),
    }


def dense(
    ragged: tf.RaggedTensor, default: int | float | str = 0, length: int | None = None
) -> tf.Tensor:
    """Rows filled up with `default` to a length, or to the longest: [B, length]."""
    shape = None if length is None else [None, length]
    return ragged.to_tensor(tf.constant(default, ragged.dtype), shape=shape)


def pack_segments(
    first: tf.RaggedTensor, second: tf.RaggedTensor | None, cls_id: int, sep_id: int
) -> PackedSegments:
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
