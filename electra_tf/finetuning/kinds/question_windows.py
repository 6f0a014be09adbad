# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Questions and their contexts as rows, in the graph: windows over contexts that are too long."""

import dataclasses
import typing

import tensorflow as tf

from electra_tf.text import Tokenizer, TokensWithOffsets, Vocabulary
from electra_tf.text.packing import heads, packed_batch
from electra_tf.text.ragged import row_numbers

WINDOWS_PER_QUESTION = 1000
"""`<task>_eid` is 1000 * number of the question + number of the window (qa_tasks.py:406)."""


@dataclasses.dataclass(frozen=True)
class AnswerWindows:
    """Where the tokens of each row stand in the context, to turn positions into text.

    Vectors over rows: `eids`; `question`, the number of the example; `offset`, the position of
    the first context token in the row; `length`, the number of context tokens; `first_token`,
    the number of the first of them in its context; `best_first` and `best_last`, the positions
    between which the row has more context than any other row of the question (none: first > last).
    `context` is over questions: the number of its context. `splits` is over contexts:
    `starts` and `ends` of the tokens of context i are at splits[i] .. splits[i+1].

    Tensors whose starts and ends are bytes where rows are served; in the features of fine-tuning,
    arrays, and starts and ends are characters. eids are int32, all others int64.
    """

    eids: tf.Tensor
    question: tf.Tensor
    offset: tf.Tensor
    length: tf.Tensor
    first_token: tf.Tensor
    best_first: tf.Tensor
    best_last: tf.Tensor
    context: tf.Tensor
    splits: tf.Tensor
    starts: tf.Tensor
    ends: tf.Tensor

    def characters(
        self, row: tf.Tensor, start: tf.Tensor, end: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns [first, end) characters of the context for positions start .. end of rows.

        row, start, end: integers or vectors of one shape.
        """
        context = tf.gather(self.context, tf.gather(self.question, row))
        base = tf.gather(self.splits, context) + tf.gather(self.first_token, row)
        base -= tf.gather(self.offset, row)
        first, last = (base + tf.cast(position, base.dtype) for position in (start, end))
        return tf.gather(self.starts, first), tf.gather(self.ends, last)


class QuestionTokens(typing.NamedTuple):
    """Of questions [B], cut to their length, and of contexts; context: the number of each [B]."""

    questions: tf.RaggedTensor
    contexts: TokensWithOffsets
    context: tf.Tensor


def question_batch(
    tokenizer: Tokenizer,
    questions: tf.Tensor,
    contexts: tf.Tensor,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
) -> tuple[dict[str, tf.Tensor], AnswerWindows]:
    """Rows `[CLS] question [SEP] part of the context [SEP]`, in the order of the questions.

    A context without tokens has one row. A context of more than 1000 windows is an error.

    questions, contexts: string [B].
    """
    context = tf.range(tf.shape(contexts, tf.int64)[0])
    tokens = question_tokens(tokenizer, questions, contexts, context, max_query_length)
    counts = window_counts(tokens, max_seq_length, doc_stride)
    few = tf.debugging.Assert(
        tf.reduce_all(counts <= WINDOWS_PER_QUESTION),
        [f"contexts are expected to have at most {WINDOWS_PER_QUESTION} windows, but have", counts],
    )
    with tf.control_dependencies([few]):
        counts = tf.identity(counts)
    return window_batch(tokens, counts, tokenizer.vocabulary, max_seq_length, doc_stride)


def question_tokens(
    tokenizer: Tokenizer,
    questions: tf.Tensor,
    contexts: tf.Tensor,
    context: tf.Tensor,
    max_query_length: int,
) -> QuestionTokens:
    """Tokens of questions [B] and of contexts, each of which may have several questions.

    context: the number of each question's context, int64 [B].
    """
    queries = tokenizer(questions)
    queries = heads(queries, tf.minimum(queries.row_lengths(), max_query_length))
    return QuestionTokens(queries, tokenizer.offsets(contexts), context)


def rooms_of(tokens: QuestionTokens, max_seq_length: int) -> tf.Tensor:
    """How many tokens of its context a row of each question holds, int64 [B]."""
    return max_seq_length - 3 - tokens.questions.row_lengths()


def window_counts(tokens: QuestionTokens, max_seq_length: int, doc_stride: int) -> tf.Tensor:
    """The number of rows of each question, int64 [B]; one at least."""
    rooms = rooms_of(tokens, max_seq_length)
    num_tokens = tf.gather(tokens.contexts.ids.row_lengths(), tokens.context)
    strides = tf.minimum(rooms, doc_stride)
    return 1 + tf.maximum(tf.zeros_like(rooms), -((rooms - num_tokens) // strides))


def window_batch(
    tokens: QuestionTokens,
    counts: tf.Tensor,
    vocabulary: Vocabulary,
    max_seq_length: int,
    doc_stride: int,
    length: int | None = None,
) -> tuple[dict[str, tf.Tensor], AnswerWindows]:
    """The rows of all windows, and where they stand in their contexts.

    counts: `window_counts`, of which none is over 1000.
    length: as in `packed_batch`.
    """
    question = row_numbers(tf.concat([[0], tf.cumsum(counts)], 0))
    number = tf.ragged.range(counts).flat_values
    rooms = tf.gather(rooms_of(tokens, max_seq_length), question)
    context, contexts = tf.gather(tokens.context, question), tokens.contexts
    num_tokens = tf.gather(contexts.ids.row_lengths(), context)
    first_token = number * tf.minimum(rooms, doc_stride)
    row_length = tf.minimum(rooms, num_tokens - first_token)
    offset = tf.gather(tokens.questions.row_lengths(), question) + 2

    first = tf.gather(contexts.ids.row_starts(), context) + first_token
    places = tf.ragged.range(first, first + row_length)
    parts = places.with_flat_values(tf.gather(contexts.ids.flat_values, places.flat_values))
    batch = packed_batch(tf.gather(tokens.questions, question), parts, vocabulary, length)
    # Contexts of one window, which are most, need no comparison.
    several = tf.where(row_length < num_tokens)
    columns = (number, first_token, row_length, num_tokens)
    best = _best_context(*(tf.gather(column, several[:, 0]) for column in columns))
    whole = (tf.zeros_like(row_length), row_length - 1)
    best_first, best_last = (
        tf.tensor_scatter_nd_update(token, several, of_several) - first_token + offset
        for token, of_several in zip(whole, best, strict=True)
    )
    windows = AnswerWindows(
        eids=tf.cast(WINDOWS_PER_QUESTION * question + number, tf.int32),
        question=question,
        offset=offset,
        length=row_length,
        first_token=first_token,
        best_first=best_first,
        best_last=best_last,
        context=tokens.context,
        splits=contexts.ids.row_splits,
        starts=contexts.starts.flat_values,
        ends=contexts.ends.flat_values,
    )
    return batch, windows


def _best_context(
    number: tf.Tensor,
    first_token: tf.Tensor,
    length: tf.Tensor,
    num_tokens: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """For each window the first and last context token that it sees best of all windows.

    Context is the smaller number of tokens on either side, then the length of the window, then
    the earlier window (qa_tasks.py:75-110). The tokens that are best in a window are neighbours.
    A token is compared in the windows that hold it only: pairs of window and token are as many as
    the tokens of all rows.

    Vectors int64 over windows, all of each question. num_tokens: of the window's context.
    """
    # All contexts are one behind the other, once for each of their questions.
    ends = tf.cumsum(tf.where(number == 0, num_tokens, 0))
    start = ends - num_tokens
    inside = tf.ragged.range(length)  # [windows, tokens of the window]
    window, left = row_numbers(inside.row_splits), inside.flat_values
    right = tf.gather(length, window) - 1 - left
    width = 0.01 * tf.cast(length, tf.float64)
    score = tf.cast(tf.minimum(left, right), tf.float64) + tf.gather(width, window)
    token = tf.gather(start + first_token, window) + left
    total = tf.reduce_max(tf.concat([[0], ends], 0))
    highest = tf.math.unsorted_segment_max(score, token, total)
    is_best = score == tf.gather(highest, token)
    # Windows are numbered over all questions, so that their best tokens follow each other.
    best = tf.where(is_best, window, tf.int64.max)
    best = tf.math.unsorted_segment_min(best, token, total)
    windows = tf.range(tf.shape(number, tf.int64)[0])
    first = tf.searchsorted(best, windows, side="left", out_type=tf.int64)
    behind = tf.searchsorted(best, windows, side="right", out_type=tf.int64)
    return first - start, behind - 1 - start
