# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Sentences to tag as rows, in the graph; long ones in windows, each word predicted once."""

import typing

import tensorflow as tf

from electra_tf.text import Tokenizer
from electra_tf.text.packing import packed_batch


class WordRows(typing.NamedTuple):
    """Where words are predicted; vectors int64.

    Over the words of all texts: `row` and `position`. Over rows: `sentence`, its number, and
    `first_word`, the number in its sentence of the first word that the row predicts.
    """

    row: tf.Tensor
    position: tf.Tensor
    sentence: tf.Tensor
    first_word: tf.Tensor


def word_batch(
    words: tf.RaggedTensor, tokenizer: Tokenizer, max_seq_length: int, length: int | None = None
) -> tuple[dict[str, tf.Tensor], WordRows]:
    """Rows of sentences [B, words]; each word is predicted once, at its first token.

    A sentence that is too long is in several rows that share up to half of their room; a sentence
    without words is an empty row. A word without tokens is predicted at the next one.

    Args:
        length: as in `packed_batch`.
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
    batch = packed_batch(rows, None, tokenizer.vocabulary, length)
    batch["segment_ids"] = batch["input_mask"]  # tagging_tasks.py:147

    # Ranges of predicted words follow each other; rows that predict none share a start.
    word = tf.range(tf.shape(counts, tf.int64)[0])
    row = tf.searchsorted(windows.predict_first, word, side="right", out_type=tf.int64) - 1
    position = 1 + tf.gather(token_starts, word) - tf.gather(first, row)
    first_word = windows.predict_first - tf.gather(words.row_starts(), windows.sentence)
    return batch, WordRows(row, position, windows.sentence, first_word)


class _Windows(typing.NamedTuple):
    """Vectors int64 over rows: the sentence, words first .. end of all texts, the first predicted.

    A row predicts the words up to the first of the next one, the last of a sentence to its end.
    """

    sentence: tf.Tensor
    first: tf.Tensor
    end: tf.Tensor
    predict_first: tf.Tensor


def _windows(costs: tf.Tensor, row_splits: tf.Tensor, room: int) -> _Windows:
    """The windows of all sentences, one of each per iteration.

    Neighbours share up to half of the room; of these words each predicts the half that has more
    context in it.

    Args:
        costs: tokens of each word, 1 at least.
        row_splits: of the words of the sentences.
    """
    cost_before = tf.concat([[0], tf.cumsum(costs)], 0)
    first, end = row_splits[:-1], row_splits[1:]

    def last_start(cost: tf.Tensor):
        return tf.searchsorted(cost_before, cost, side="right", out_type=tf.int64) - 1

    def first_start(cost: tf.Tensor):
        return tf.searchsorted(cost_before, cost, side="left", out_type=tf.int64)

    def more(sentence: tf.Tensor, *_: tf.Tensor):
        return tf.size(sentence) > 0

    def body(
        sentence: tf.Tensor,
        first: tf.Tensor,
        end: tf.Tensor,
        predict_first: tf.Tensor,
        *found: tf.Tensor,
    ):
        cost = tf.gather(cost_before, first)
        window_end = tf.minimum(last_start(cost + room), end)
        rows = (sentence, first, window_end, predict_first)
        found = [tf.concat([column, row], 0) for column, row in zip(found, rows, strict=True)]
        # What is left of sentences that this window does not end.
        goes_on = window_end < end
        sentence, window_end, end = (
            tf.boolean_mask(column, goes_on) for column in (sentence, window_end, end)
        )
        next_first = tf.maximum(
            first_start(tf.gather(cost_before, window_end) - room // 2),
            first_start(tf.gather(cost_before, window_end + 1) - room),
        )
        middle = tf.gather(cost_before, next_first) + tf.gather(cost_before, window_end)
        return sentence, next_first, end, first_start((middle + 1) // 2), *found

    vector = tf.TensorShape([None])
    sentence = tf.range(tf.shape(first, tf.int64)[0])
    state = [sentence, first, end, first, *[tf.zeros([0], tf.int64)] * 4]
    found = tf.while_loop(more, body, state, shape_invariants=[vector] * 8)[4:]
    order = tf.argsort(found[0], stable=True)
    return _Windows(*(tf.gather(column, order) for column in found))
