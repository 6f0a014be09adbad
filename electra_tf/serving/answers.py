# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From the outputs for windows to answers, in the graph: the rules of `finetuning.qa_answers`.

Candidates are flat vectors over all spans of all questions; nothing is padded but the result.
"""

import typing

import tensorflow as tf

from electra_tf.serving.questions import QuestionWindows
from electra_tf.text.packing import dense

_SPACE_AT_THE_END = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+$"
"""What `str.rstrip` takes off."""


class _Spans(typing.NamedTuple):
    """Vectors over spans: row, start and end position int64, start and end logit float32."""

    row: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor
    start_logit: tf.Tensor
    end_logit: tf.Tensor


def best_answers(
    contexts,
    windows: QuestionWindows,
    outputs: dict[str, tf.Tensor],
    n_best_size: int,
    max_answer_length: int,
    joint_prediction: bool,
) -> dict[str, tf.Tensor]:
    """The n best spans with different texts of every question.

    Args:
        contexts: string [B].
        outputs: of the head for the rows of all windows.

    Returns:
        `answers` string, `answer_starts`, `answer_ends` int32 (bytes of the context),
        `answer_probabilities`, `answer_scores` float64 [B, N], best first, filled up with "" and
        0; `num_answers` int32 [B]. A question for which no span is allowed has the one answer "".
    """
    spans = _allowed(
        _candidates(outputs, n_best_size, joint_prediction), windows, max_answer_length
    )
    question = tf.gather(windows.question, spans.row)
    # float64, as the scores that become probabilities; order is that of the float32 sums.
    score = tf.cast(spans.start_logit, tf.float64) + tf.cast(spans.end_logit, tf.float64)
    order = tf.argsort(spans.start_logit + spans.end_logit, direction="DESCENDING", stable=True)
    order = tf.gather(order, tf.argsort(tf.gather(question, order), stable=True))
    first, end = (tf.gather(column, order) for column in _bytes(spans, windows))
    question, score = tf.gather(question, order), tf.gather(score, order)
    texts = tf.strings.substr(tf.gather(contexts, question), first, end - first)
    # A piece that is nothing but the space before the next word may have been the last one.
    texts = tf.strings.regex_replace(texts, _SPACE_AT_THE_END, "")
    end = first + tf.cast(tf.strings.length(texts), first.dtype)
    columns = [tf.boolean_mask(c, end > first) for c in (question, texts, first, end, score)]

    distinct = _first_of_each(*columns[:2])
    columns = [tf.gather(column, distinct) for column in columns]
    counts = tf.math.bincount(
        tf.cast(columns[0], tf.int32), minlength=tf.shape(contexts)[0], dtype=tf.int64
    )
    counts = counts[: tf.shape(contexts)[0]]
    rows = [
        tf.RaggedTensor.from_row_lengths(c, counts, validate=False)[:, :n_best_size]
        for c in columns[1:]
    ]
    return _with_probabilities(*rows)


def no_answer_scores(windows, outputs, count, answerable_classifier: bool):
    """The smallest evidence for "no answer" over the windows of each question, float32 [B]."""
    if answerable_classifier:
        scores = outputs["answerable_logit"]
    else:
        scores = outputs["start_logits"][:, 0] + outputs["end_logits"][:, 0]
    return tf.math.unsorted_segment_min(scores, windows.question, count)


def _candidates(outputs, n_best_size, joint_prediction) -> _Spans:
    """All pairs of the likely starts and ends of each row, in the order of row, start, end."""
    if joint_prediction:
        starts = outputs["start_top_index"][:, :, None]
        ends = outputs["end_top_index"]
        start_logits = outputs["start_top_log_probs"][:, :, None]
        end_logits = outputs["end_top_log_probs"]
    else:
        k = tf.minimum(n_best_size, tf.shape(outputs["start_logits"])[1])
        start_logits, starts = tf.math.top_k(outputs["start_logits"], k)
        end_logits, ends = tf.math.top_k(outputs["end_logits"], k)
        start_logits, starts = start_logits[:, :, None], starts[:, :, None]
        end_logits, ends = end_logits[:, None], ends[:, None]
    shape = tf.broadcast_dynamic_shape(tf.shape(starts), tf.shape(ends))
    row = tf.range(shape[0], dtype=tf.int64)[:, None, None]
    columns = (row, tf.cast(starts, tf.int64), tf.cast(ends, tf.int64), start_logits, end_logits)
    return _Spans(*(tf.reshape(tf.broadcast_to(c, shape), [-1]) for c in columns))


def _allowed(spans: _Spans, windows, max_answer_length) -> _Spans:
    """Those that lie in the context, begin where their window has the most of it, and are short."""
    offset = tf.gather(windows.offset, spans.row)
    last = offset + tf.gather(windows.length, spans.row) - 1
    allowed = (spans.start >= offset) & (spans.end >= spans.start) & (spans.end <= last)
    allowed &= spans.end - spans.start < max_answer_length
    spans = _Spans(*(tf.boolean_mask(column, allowed) for column in spans))
    best = tf.gather(windows.best.flat_values, _token(spans.start, spans.row, windows))
    is_best = best == tf.gather(windows.number, spans.row)
    return _Spans(*(tf.boolean_mask(column, is_best) for column in spans))


def _token(position, row, windows):
    """Number of the token at a position of a row, among those of all contexts."""
    question = tf.gather(windows.question, row)
    first = tf.gather(windows.tokens.ids.row_starts(), question)
    inside = position - tf.gather(windows.offset, row) + tf.gather(windows.first_token, row)
    return first + inside


def _bytes(spans, windows):
    tokens = windows.tokens
    return (
        tf.gather(tokens.starts.flat_values, _token(spans.start, spans.row, windows)),
        tf.gather(tokens.ends.flat_values, _token(spans.end, spans.row, windows)),
    )


def _first_of_each(question, texts):
    """Places where a text occurs for the first time in its question."""
    keys = tf.strings.join([tf.strings.as_string(question), texts], ":")
    distinct = tf.unique(keys)  # in the order of their first occurrence
    places = tf.range(tf.size(keys))
    return tf.math.unsorted_segment_min(places, distinct.idx, tf.size(distinct.y))


def _with_probabilities(texts, starts, ends, scores):
    counts = tf.maximum(texts.row_lengths(), 1)
    real = tf.sequence_mask(counts)
    shape = tf.shape(real)

    def filled(ragged, default):
        values = dense(ragged, default)
        missing = tf.fill(
            [shape[0], shape[1] - tf.shape(values)[1]], tf.constant(default, values.dtype)
        )
        return tf.concat([values, missing], axis=1)

    totals = filled(scores, 0.0)
    weights = tf.exp(
        totals - tf.reduce_max(tf.where(real, totals, tf.float64.min), 1, keepdims=True)
    )
    weights = tf.where(real, weights, 0.0)
    chances = weights / tf.reduce_sum(weights, axis=1, keepdims=True)
    return {
        "answers": filled(texts, ""),
        "answer_starts": filled(starts, 0),
        "answer_ends": filled(ends, 0),
        "answer_probabilities": tf.cast(chances, tf.float32),
        "answer_scores": totals,
        "num_answers": tf.cast(counts, tf.int32),
    }
