# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Sentences to tag as rows, in the graph: the windows of `finetuning.tagging_features`.

The words of a text are what white space separates, as `str.split` has it.
"""

import typing

import tensorflow as tf

from electra_tf.serving.rows import dense, packed_batch

_WHITE_SPACE = tuple(code for code in range(0x3001) if chr(code).isspace())


class Words(typing.NamedTuple):
    """Ragged [B, words]: the words, and the bytes of the text that they are, int32."""

    texts: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


class WordRows(typing.NamedTuple):
    """Where words are predicted: row and position int64, vectors over the words of all texts."""

    row: tf.Tensor
    position: tf.Tensor


def words_of(texts) -> Words:
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


def word_batch(
    words: tf.RaggedTensor, tokenizer, max_seq_length: int
) -> tuple[dict[str, tf.Tensor], WordRows]:
    """Rows of sentences [B, words]; each word is predicted once, at its first token.

    A sentence that is too long is in several rows that share up to half of their room; a sentence
    without words is an empty row.
    """
    room = max_seq_length - 2
    pieces = tokenizer.of_words(words.flat_values)
    counts = tf.minimum(pieces.row_lengths(), room)
    windows = _windows(tf.maximum(counts, 1), words.row_splits, room)
    token_starts = tf.concat([[0], tf.cumsum(counts)], 0)
    first = tf.gather(token_starts, windows.first)
    within = tf.ragged.range(first, tf.gather(token_starts, windows.end))
    # Pieces of words longer than a row are cut, so tokens are found through their words.
    flat = tf.ragged.range(pieces.row_starts(), pieces.row_starts() + counts).flat_values
    places = tf.gather(flat, within.flat_values)
    rows = within.with_flat_values(tf.gather(pieces.flat_values, places))
    batch = packed_batch(rows, None, tokenizer.vocabulary)
    batch["segment_ids"] = batch["input_mask"]  # tagging_tasks.py:147

    # Ranges of predicted words follow each other; rows that predict none share a start.
    word = tf.range(tf.shape(counts, tf.int64)[0])
    row = tf.searchsorted(windows.predict_first, word, side="right", out_type=tf.int64) - 1
    position = 1 + tf.gather(token_starts, word) - tf.gather(first, row)
    return batch, WordRows(row, position)


class _Windows(typing.NamedTuple):
    """Vectors int64 over rows: words first .. end of all texts, and the first it predicts."""

    first: tf.Tensor
    end: tf.Tensor
    predict_first: tf.Tensor


def _windows(costs, row_splits, room) -> _Windows:
    """The windows of all sentences (`tagging_features._windows`), one of each per iteration."""
    cost_before = tf.concat([[0], tf.cumsum(costs)], 0)
    first, end = row_splits[:-1], row_splits[1:]

    def last_start(cost):
        return tf.searchsorted(cost_before, cost, side="right", out_type=tf.int64) - 1

    def first_start(cost):
        return tf.searchsorted(cost_before, cost, side="left", out_type=tf.int64)

    def more(first, *_):
        return tf.size(first) > 0

    def body(first, end, predict_first, *found):
        cost = tf.gather(cost_before, first)
        window_end = tf.minimum(last_start(cost + room), end)
        rows = (first, window_end, predict_first)
        found = [tf.concat([column, row], 0) for column, row in zip(found, rows, strict=True)]
        # What is left of sentences that this window does not end.
        goes_on = window_end < end
        window_end, end = tf.boolean_mask(window_end, goes_on), tf.boolean_mask(end, goes_on)
        next_first = tf.maximum(
            first_start(tf.gather(cost_before, window_end) - room // 2),
            first_start(tf.gather(cost_before, window_end + 1) - room),
        )
        middle = tf.gather(cost_before, next_first) + tf.gather(cost_before, window_end)
        return next_first, end, first_start((middle + 1) // 2), *found

    vector = tf.TensorShape([None])
    state = [first, end, first, *[tf.zeros([0], tf.int64)] * 3]
    _, _, _, *found = tf.while_loop(more, body, state, shape_invariants=[vector] * 6)
    order = tf.argsort(found[0], stable=True)
    return _Windows(*(tf.gather(column, order) for column in found))


def per_text(values: tf.Tensor, words: tf.RaggedTensor, default) -> tf.Tensor:
    """Values of all words [words, ...] as [B, W, ...], W the most words of a text."""
    return dense(words.with_flat_values(values), default)
