# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The answers to the questions of a split, with their probabilities."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.files.examples import QuestionExample
from electra_tf.finetuning.kinds.question_candidates import best_answers, no_answer_scores
from electra_tf.finetuning.kinds.question_windows import AnswerWindows

_ROWS_AT_ONCE = 1000
"""Each has up to K * K spans with a text."""


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
    scores = np.add(start_logits, end_logits)
    weights = np.exp(scores - scores.max())
    columns = (texts, starts, weights / weights.sum(), start_logits, end_logits)
    return [
        Answer(text.decode(), start, float(probability), start_logit, end_logit)
        for text, start, probability, start_logit, end_logit in zip(*columns, strict=True)
    ]
