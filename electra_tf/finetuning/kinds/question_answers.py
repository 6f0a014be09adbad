# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From the outputs for windows to answers, which are exact pieces of the contexts.

The answer of a question is the most probable span over all of its windows, among those that begin
where the window has the most context and are not too long (qa_metrics.py:99-260). Candidates are
found in the graph: flat vectors over all spans of all questions.
"""

import dataclasses
import typing
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.files.examples import QuestionExample
from electra_tf.finetuning.kinds.question_windows import AnswerWindows

_ROWS_AT_ONCE = 1000
"""Each has up to K * K spans with a text."""
SPACE_AT_THE_END = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+$"
"""What `str.rstrip` takes off."""


class Candidates(typing.NamedTuple):
    """The n best spans with different texts of questions, best first; ragged [B, 1..n].

    texts string; starts, ends int64, as the windows count them; start_logits, end_logits float32.
    A question for which no span is allowed has the one candidate "" with zeros.
    """

    texts: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor
    start_logits: tf.RaggedTensor
    end_logits: tf.RaggedTensor


class _Spans(typing.NamedTuple):
    """Vectors over spans: row int64, start and end position int32, start and end logit float32."""

    row: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor
    start_logit: tf.Tensor
    end_logit: tf.Tensor


def best_answers(
    contexts: tf.Tensor,
    windows: AnswerWindows,
    outputs: Mapping[str, tf.Tensor],
    n_best_size: int,
    max_answer_length: int,
    joint_prediction: bool,
    unit: str,
) -> Candidates:
    """The `Candidates` of questions, from the head's outputs for the rows of all their windows.

    contexts: string [B], the context of each question.
    outputs: with joint prediction start_top_log_probs, start_top_index [rows, K],
        end_top_log_probs and end_top_index [rows, K, K]; otherwise start_logits and end_logits
        [rows, L].
    max_answer_length: in tokens.
    unit: what the windows count, "BYTE" or "UTF8_CHAR".
    """
    spans = _likely(windows, outputs, n_best_size, max_answer_length, joint_prediction)
    # By question, then from the best; equals stay in the order of window, start and end.
    score = spans.start_logit + spans.end_logit
    order = tf.argsort(score, direction="DESCENDING", stable=True)
    question = tf.gather(windows.question, spans.row)
    order = tf.gather(order, tf.argsort(tf.gather(question, order), stable=True))
    question = tf.gather(question, order)
    spans = _Spans(*(tf.gather(column, order) for column in spans))
    spans_of_each = _counts(question, tf.shape(contexts, tf.int64)[0])
    rank = tf.ragged.range(spans_of_each).flat_values

    def best_of(limit: tf.Tensor | int) -> Candidates:
        columns = [tf.boolean_mask(column, rank < limit) for column in (question, *spans)]
        return _with_texts(contexts, windows, columns[0], _Spans(*columns[1:]), n_best_size, unit)

    # Only where texts come again and again, the best spans alone do not have n different ones.
    limit = 3 * n_best_size
    found = best_of(limit)
    is_text = found.ends.flat_values > found.starts.flat_values
    texts_of_each = tf.reduce_sum(found.ends.with_flat_values(tf.cast(is_text, tf.int64)), axis=1)
    is_enough = (texts_of_each == n_best_size) | (spans_of_each <= limit)
    return tf.cond(tf.reduce_all(is_enough), lambda: found, lambda: best_of(tf.int64.max))


def _with_texts(
    contexts: tf.Tensor,
    windows: AnswerWindows,
    question: tf.Tensor,
    spans: _Spans,
    n_best_size: int,
    unit: str,
) -> Candidates:
    """The first n spans with different texts of each question; spans are ordered by question."""
    first, end = windows.characters(spans.row, spans.start, spans.end)
    texts = _texts(contexts, windows, spans.row, first, end, unit)
    end = first + tf.cast(tf.strings.length(texts, unit), first.dtype)
    columns = (question, texts, first, end, spans.start_logit, spans.end_logit)
    columns = [tf.boolean_mask(column, end > first) for column in columns]
    places = _first_of_each(*columns[:2])
    counts = _counts(tf.gather(columns[0], places), tf.shape(contexts, tf.int64)[0])
    places = tf.boolean_mask(places, tf.ragged.range(counts).flat_values < n_best_size)
    counts = tf.minimum(counts, n_best_size)
    # Behind them, the empty text of each question that has none.
    without = tf.where(counts == 0)[:, 0]
    question = tf.concat([tf.gather(columns[0], places), without], 0)
    order = tf.argsort(question, stable=True)

    def chosen(values: tf.Tensor) -> tf.RaggedTensor:
        values = tf.concat([tf.gather(values, places), tf.zeros_like(without, values.dtype)], 0)
        values = tf.gather(values, order)
        return tf.RaggedTensor.from_row_lengths(values, tf.maximum(counts, 1), validate=False)

    return Candidates(*map(chosen, columns[1:]))


def _counts(question: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """How often each of `count` questions occurs, int64."""
    return tf.math.unsorted_segment_sum(tf.ones_like(question), question, count)


def no_answer_scores(
    windows: AnswerWindows,
    outputs: Mapping[str, tf.Tensor],
    candidates: Candidates,
    answerable_classifier: bool,
) -> tf.Tensor:
    """The evidence for "no answer", the smallest over the windows of each question, float32 [B].

    outputs: answerable_logit [rows], or for lack of a classifier start_logits and end_logits
        [rows, L]; then it is what it has more than the best candidate.
    """
    count = tf.shape(windows.context, tf.int64)[0]
    if answerable_classifier:
        return tf.math.unsorted_segment_min(outputs["answerable_logit"], windows.question, count)
    scores = outputs["start_logits"][:, 0] + outputs["end_logits"][:, 0]
    smallest = tf.math.unsorted_segment_min(scores, windows.question, count)
    first = candidates.texts.row_starts()
    best = (candidates.start_logits, candidates.end_logits)
    start, end = (tf.gather(logits.flat_values, first) for logits in best)
    return smallest - start - end


def _likely(
    windows: AnswerWindows,
    outputs: Mapping[str, tf.Tensor],
    n_best_size: int,
    max_answer_length: int,
    joint_prediction: bool,
) -> _Spans:
    """Spans of the most probable starts and ends, in the order of row, start and end.

    They lie in the context, begin where their window has the most of it, and are short.
    """
    # Starts [rows, K, 1] and ends [rows, K or 1, K].
    if joint_prediction:
        starts = tf.cast(outputs["start_top_index"], tf.int32)
        ends = tf.cast(outputs["end_top_index"], tf.int32)
        start_logits, end_logits = outputs["start_top_log_probs"], outputs["end_top_log_probs"]
    else:
        k = tf.minimum(n_best_size, tf.shape(outputs["start_logits"])[1])
        start_logits, starts = tf.math.top_k(outputs["start_logits"], k)
        end_logits, ends = tf.math.top_k(outputs["end_logits"], k)
        end_logits, ends = end_logits[:, None], ends[:, None]
    starts, start_logits = starts[:, :, None], start_logits[:, :, None]

    def of_rows(values: tf.Tensor) -> tf.Tensor:
        return tf.cast(values, tf.int32)[:, None, None]

    allowed = starts >= of_rows(windows.best_first)
    allowed &= starts <= of_rows(windows.best_last)
    allowed &= (ends >= starts) & (ends < of_rows(windows.offset + windows.length))
    allowed &= ends - starts < max_answer_length
    columns = (
        tf.boolean_mask(tf.broadcast_to(values, tf.shape(allowed)), allowed)
        for values in (starts, ends, start_logits, end_logits)
    )
    return _Spans(tf.where(allowed)[:, 0], *columns)


def _texts(
    contexts: tf.Tensor,
    windows: AnswerWindows,
    row: tf.Tensor,
    first: tf.Tensor,
    end: tf.Tensor,
    unit: str,
) -> tf.Tensor:
    """The texts of spans first .. end of rows, without space at their end.

    A piece that is nothing but the space before the next word may have been the last one.
    """
    # They are cut out of the texts of their windows, of which copies are small.
    row, place = tf.unique(row, tf.int64)
    offset = tf.gather(windows.offset, row)
    last = offset + tf.gather(windows.length, row) - 1
    row_first, row_end = windows.characters(row, offset, last)
    of_row = tf.gather(contexts, tf.gather(windows.question, row))
    of_row = tf.strings.substr(of_row, row_first, row_end - row_first, unit)
    texts = tf.gather(of_row, place)
    texts = tf.strings.substr(texts, first - tf.gather(row_first, place), end - first, unit)
    return tf.strings.regex_replace(texts, SPACE_AT_THE_END, "")


def _first_of_each(question: tf.Tensor, texts: tf.Tensor) -> tf.Tensor:
    """The places where a text occurs for the first time in its question, in order."""
    keys = tf.strings.join([tf.strings.as_string(question), texts], ":")
    distinct = tf.unique(keys)  # in the order of their first occurrence
    places = tf.range(tf.size(keys))
    return tf.math.unsorted_segment_min(places, distinct.idx, tf.size(distinct.y))


class Answer(typing.NamedTuple):
    """A candidate: its text, and where in the context it begins."""

    text: str
    start: int
    probability: float
    start_logit: float
    end_logit: float


class Answers(typing.NamedTuple):
    """By question id: the best text, the n best candidates, and the evidence for "no answer"."""

    predictions: dict[str, str]
    n_best: dict[str, list[Answer]]
    null_odds: dict[str, float]


def answer_questions(
    examples: Sequence[QuestionExample],
    windows: AnswerWindows,
    outputs: Mapping[str, np.ndarray],
    n_best_size: int = 20,
    max_answer_length: int = 30,
    joint_prediction: bool = True,
    has_unanswerable: bool = False,
    answerable_classifier: bool = True,
) -> Answers:
    """Returns the `Answers` of `QuestionExample`s.

    windows: the `AnswerWindows` of the same examples.
    outputs: name -> array over rows, with `eid` [rows], in any order, each window once or more;
        the others as in `best_answers` and, with has_unanswerable, in `no_answer_scores`.
    max_answer_length: in tokens.

    A question for which no span is allowed gets the empty text. null_odds is empty unless
    has_unanswerable; predictions never are "no answer" by themselves (see `question_metrics`).

    Raises:
        ValueError: a window has no output; names its eid.
    """
    outputs = _in_order(windows, outputs)
    result = Answers({}, {}, {})
    with tf.device("CPU"):
        vectors = {name: tf.constant(values) for name, values in vars(windows).items()}
        for questions, rows in _parts(windows):
            mine = examples[questions]
            part = {name: tf.constant(values[rows]) for name, values in outputs.items()}
            of_part = _windows_of(AnswerWindows(**vectors), questions, rows)
            contexts = tf.constant([example.context for example in mine], tf.string)
            sizes = (n_best_size, max_answer_length)
            found = best_answers(contexts, of_part, part, *sizes, joint_prediction, "UTF8_CHAR")
            columns = (found.texts, found.starts, found.start_logits, found.end_logits)
            columns = [column.to_list() for column in columns]
            for example, *candidates in zip(mine, *columns, strict=True):
                result.n_best[example.id] = best = _with_probabilities(*candidates)
                result.predictions[example.id] = best[0].text
            if has_unanswerable:
                odds = no_answer_scores(of_part, part, found, answerable_classifier).numpy()
                ids = [example.id for example in mine]
                result.null_odds.update(zip(ids, odds.tolist(), strict=True))
    return result


def _in_order(windows: AnswerWindows, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs with one row per window, in the order of the windows; floats are float32."""
    found = {int(eid): row for row, eid in enumerate(outputs["eid"])}
    missing = [int(eid) for eid in windows.eids if int(eid) not in found]
    if missing:
        raise ValueError(
            f"outputs must have a row for each of the {len(windows.eids)} windows; none for "
            f"{len(missing)} of them, the first is eid {missing[0]}."
        )
    rows = [found[int(eid)] for eid in windows.eids]
    ordered = {name: np.asarray(values)[rows] for name, values in outputs.items()}
    return {
        name: values.astype(np.float32) if values.dtype.kind == "f" else values
        for name, values in ordered.items()
    }


def _parts(windows: AnswerWindows) -> Iterator[tuple[slice, slice]]:
    """Questions that follow each other, and their rows, some `_ROWS_AT_ONCE`."""
    count = len(windows.context)
    ends = np.searchsorted(windows.question, np.arange(count), side="right")
    first, first_row = 0, 0
    while first < count:
        end = max(first + 1, np.searchsorted(ends, first_row + _ROWS_AT_ONCE, side="right"))
        yield slice(first, end), slice(first_row, ends[end - 1])
        first, first_row = end, ends[end - 1]


def _windows_of(windows: AnswerWindows, questions: slice, rows: slice) -> AnswerWindows:
    """The windows of some questions, which are numbered from 0, with the tokens of all."""
    of_rows = ("eids", "question", "offset", "length", "first_token", "best_first", "best_last")
    mine = {name: getattr(windows, name)[rows] for name in of_rows}
    mine["question"] -= questions.start
    return dataclasses.replace(windows, **mine, context=windows.context[questions])


def _with_probabilities(
    texts: list[bytes], starts: list[int], start_logits: list[float], end_logits: list[float]
) -> list[Answer]:
    from scipy.special import softmax

    probabilities = softmax(np.add(start_logits, end_logits))
    columns = (texts, starts, probabilities, start_logits, end_logits)
    return [
        Answer(text.decode(), start, float(probability), start_logit, end_logit)
        for text, start, probability, start_logit, end_logit in zip(*columns, strict=True)
    ]
