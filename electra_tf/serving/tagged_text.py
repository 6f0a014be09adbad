# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The words of texts, in the graph: what white space separates, as `str.split` has it."""

import typing

import tensorflow as tf

from electra_tf.text.packing import dense

_WHITE_SPACE = tuple(code for code in range(0x3001) if chr(code).isspace())


class Words(typing.NamedTuple):
    """Ragged [B, words]: the words, and the bytes of the text that they are, int32."""

    texts: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


def words_of(texts: tf.Tensor) -> Words:
    """The words of texts [B]."""
    decoded, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
    codes = decoded.flat_values
    is_space = tf.reduce_any(codes[:, None] == tf.constant(_WHITE_SPACE), axis=1)
    row = decoded.value_rowids()
    before = tf.concat([[-1], row[:-1]], 0)[: tf.size(row)]
    after = tf.concat([row[1:], [-1]], 0)[: tf.size(row)]
    space_before = tf.concat([[True], is_space[:-1]], 0)[: tf.size(row)]
    space_after = tf.concat([is_space[1:], [True]], 0)[: tf.size(row)]
    firsts = tf.where(~is_space & (space_before | (before != row)))[:, 0]
    lasts = tf.where(~is_space & (space_after | (after != row)))[:, 0]
    rows = tf.gather(row, firsts)
    starts = tf.gather(offsets.flat_values, firsts)
    # A word ends where the character behind its last one begins, or with the text.
    lengths = tf.cast(tf.strings.length(tf.gather(texts, rows)), tf.int64)
    is_end = tf.gather(after, lasts) != rows
    behind = tf.gather(offsets.flat_values, tf.where(is_end, lasts, lasts + 1))
    ends = tf.where(is_end, lengths, behind)
    words = tf.strings.substr(tf.gather(texts, rows), starts, ends - starts)
    columns = words, tf.cast(starts, tf.int32), tf.cast(ends, tf.int32)
    count = tf.shape(texts, tf.int64)[0]
    return Words(
        *(tf.RaggedTensor.from_value_rowids(c, rows, count, validate=False) for c in columns)
    )


def per_text(values: tf.Tensor, words: tf.RaggedTensor, default: int | float | str) -> tf.Tensor:
    """Values of all words [words, ...] as [B, W, ...], W the most words of a text."""
    return dense(words.with_flat_values(values), default)
