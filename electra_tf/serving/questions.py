# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Questions and long contexts as rows, in the graph: the windows of `finetuning.qa_features`."""

import typing

import tensorflow as tf

from electra_tf.finetuning.qa_features import WINDOWS_PER_QUESTION
from electra_tf.serving.masked_text import tokens_of
from electra_tf.text import TokensWithOffsets
from electra_tf.text.packing import heads, packed_batch


class QuestionWindows(typing.NamedTuple):
    """Where the rows stand in their contexts; vectors int64 over rows, unless said otherwise.

    question: the row's question; number: of the window among those of its question; offset: the
    position of the first context token in the row; length: context tokens; first_token: the
    number of the first of them in its context; best: ragged [B, context tokens], the number of
    the window in which a token has the most context; tokens: of the contexts.
    """

    question: tf.Tensor
    number: tf.Tensor
    offset: tf.Tensor
    length: tf.Tensor
    first_token: tf.Tensor
    best: tf.RaggedTensor
    tokens: TokensWithOffsets


def question_batch(
    tokenizer, questions, contexts, max_seq_length: int, doc_stride: int, max_query_length: int
) -> tuple[dict[str, tf.Tensor], QuestionWindows]:
    """Rows `[CLS] question [SEP] part of the context [SEP]`, in the order of the questions.

    A context without tokens has one row. A context of more than 1000 windows is an error.
    """
    queries = tokenizer(questions)
    queries = heads(queries, tf.minimum(queries.row_lengths(), max_query_length))
    tokens = tokens_of(tokenizer, contexts)
    windows = _windows(queries.row_lengths(), tokens, max_seq_length, doc_stride)
    first = tf.gather(tokens.ids.row_starts(), windows.question) + windows.first_token
    places = tf.ragged.range(first, first + windows.length)
    parts = places.with_flat_values(tf.gather(tokens.ids.flat_values, places.flat_values))
    batch = packed_batch(tf.gather(queries, windows.question), parts, tokenizer.vocabulary)
    return batch, windows


def _windows(query_lengths, tokens, max_seq_length, doc_stride) -> QuestionWindows:
    num_tokens = tokens.ids.row_lengths()
    rooms = max_seq_length - 3 - query_lengths
    strides = tf.minimum(rooms, doc_stride)
    counts = 1 + tf.maximum(tf.zeros_like(rooms), -((rooms - num_tokens) // strides))
    few = tf.debugging.Assert(
        tf.reduce_all(counts <= WINDOWS_PER_QUESTION),
        [f"contexts are expected to have at most {WINDOWS_PER_QUESTION} windows, but have", counts],
    )
    with tf.control_dependencies([few]):
        question = tf.repeat(tf.range(tf.shape(counts, tf.int64)[0]), counts)
    number = tf.ragged.range(counts).flat_values
    first_token = number * tf.gather(strides, question)
    length = tf.minimum(tf.gather(rooms, question), tf.gather(num_tokens, question) - first_token)
    best = _best_windows(question, number, counts, first_token, length, num_tokens)
    return QuestionWindows(
        question,
        number,
        tf.gather(query_lengths, question) + 2,
        length,
        first_token,
        best,
        tokens,
    )


def _best_windows(question, number, counts, first_token, length, num_tokens):
    """Which window sees each context token best, ragged int64 [B, tokens].

    Context is the smaller number of tokens on either side, then the length of the window, then
    the earlier window (qa_tasks.py:75-110). A token is compared in the windows that hold it only:
    pairs of window and token are as many as the tokens of all rows.
    """
    inside = tf.ragged.range(length)  # [rows, tokens of the row]
    row = inside.value_rowids()
    left = inside.flat_values
    context = tf.minimum(left, tf.gather(length, row) - 1 - left)
    score = tf.cast(context, tf.float64) + 0.01 * tf.cast(tf.gather(length, row), tf.float64)
    starts = tf.cumsum(num_tokens, exclusive=True)
    token = tf.gather(tf.gather(starts, question) + first_token, row) + left
    total = tf.reduce_sum(num_tokens)
    highest = tf.math.unsorted_segment_max(score, token, total)
    is_best = score == tf.gather(highest, token)
    window = tf.where(is_best, tf.gather(number, row), WINDOWS_PER_QUESTION)
    best = tf.math.unsorted_segment_min(window, token, total)
    return tf.RaggedTensor.from_row_lengths(best, num_tokens, validate=False)
