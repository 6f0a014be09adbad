# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From the outputs for the windows of questions to answers: exact pieces of the contexts.

The answer of a question is the most probable span over all of its windows, among those that begin
where the window has the most context and are not too long (qa_metrics.py:99-260).
"""

import typing

import numpy as np


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
    examples,
    windows,
    outputs,
    n_best_size=20,
    max_answer_length=30,
    joint_prediction=True,
    has_unanswerable=False,
    answerable_classifier=True,
):
    """Returns the `Answers` of `QuestionExample`s.

    windows: the `AnswerWindows` of the same examples.
    outputs: name -> array over rows, with `eid` [rows], in any order, each window once or more.
        With joint prediction start_top_log_probs, start_top_index [rows, K], end_top_log_probs and
        end_top_index [rows, K, K]; otherwise start_logits and end_logits [rows, L]. With
        has_unanswerable also answerable_logit [rows], or for lack of a classifier start_logits and
        end_logits.
    max_answer_length: in tokens.

    A question for which no span is allowed gets the empty text. null_odds is empty unless
    has_unanswerable; predictions never are "no answer" by themselves (see `qa_metrics`).

    Raises:
        ValueError: a window has no output; names its eid.
    """
    outputs = _in_order(windows, outputs)
    beams = _joint_beams(outputs) if joint_prediction else _best_logits(outputs, n_best_size)
    rows, starts, ends, start_logits, end_logits = _allowed(windows, *beams, max_answer_length)
    totals = start_logits + end_logits
    question = windows.question[rows]
    # By question, then from the best; equals stay in the order of window and beams.
    order = np.lexsort((-totals, question))
    bounds = np.searchsorted(question[order], np.arange(len(examples) + 1))
    nulls = _null_scores(windows, outputs, answerable_classifier) if has_unanswerable else None
    result = Answers({}, {}, {})
    for number, example in enumerate(examples):
        mine = order[bounds[number] : bounds[number + 1]]
        first, end = windows.characters(rows[mine], starts[mine], ends[mine])
        spans = zip(first, end, start_logits[mine], end_logits[mine], strict=True)
        best = _n_best(example.context, spans, n_best_size)
        result.n_best[example.id] = best
        result.predictions[example.id] = best[0].text
        if has_unanswerable:
            null = nulls[number]
            if not answerable_classifier:
                null = null - np.float32(best[0].start_logit) - np.float32(best[0].end_logit)
            result.null_odds[example.id] = float(null)
    return result


def _in_order(windows, outputs):
    """Returns the outputs with one row per window, in the order of the windows."""
    found = {int(eid): row for row, eid in enumerate(outputs["eid"])}
    missing = [int(eid) for eid in windows.eids if int(eid) not in found]
    if missing:
        raise ValueError(
            f"outputs must have a row for each of the {len(windows.eids)} windows; none for "
            f"{len(missing)} of them, the first is eid {missing[0]}."
        )
    rows = [found[int(eid)] for eid in windows.eids]
    return {name: np.asarray(values)[rows] for name, values in outputs.items()}


def _joint_beams(outputs):
    """Returns starts [rows, K, 1], ends [rows, K, K] and their log-probabilities."""
    return (
        outputs["start_top_index"][:, :, None],
        outputs["end_top_index"],
        np.asarray(outputs["start_top_log_probs"], np.float32)[:, :, None],
        np.asarray(outputs["end_top_log_probs"], np.float32),
    )


def _best_logits(outputs, count):
    """Returns the best starts [rows, K, 1] and ends [rows, 1, K] and their logits."""
    best = []
    for side in ("start_logits", "end_logits"):
        logits = np.asarray(outputs[side], np.float32)
        index = np.argsort(-logits, axis=1, kind="stable")[:, :count]
        best.append((index, np.take_along_axis(logits, index, axis=1)))
    (starts, start_logits), (ends, end_logits) = best
    return starts[:, :, None], ends[:, None, :], start_logits[:, :, None], end_logits[:, None, :]


def _allowed(windows, starts, ends, start_logits, end_logits, max_answer_length):
    """Returns vectors row, start, end, start logit, end logit of the spans that can be answers."""
    starts, ends, start_logits, end_logits = np.broadcast_arrays(
        starts, ends, start_logits, end_logits
    )

    def column(values):
        return values[:, None, None]

    last = column(windows.offset + windows.length - 1)
    allowed = (starts >= column(windows.best_first)) & (starts <= column(windows.best_last))
    allowed &= (ends >= starts) & (ends <= last) & (ends - starts < max_answer_length)
    rows = np.nonzero(allowed)[0]
    return rows, starts[allowed], ends[allowed], start_logits[allowed], end_logits[allowed]


def _null_scores(windows, outputs, answerable_classifier):
    """Returns the smallest score of "no answer" over the windows of each question."""
    if answerable_classifier:
        scores = np.asarray(outputs["answerable_logit"], np.float32)
    else:
        scores = np.float32(outputs["start_logits"][:, 0]) + np.float32(outputs["end_logits"][:, 0])
    smallest = np.full(int(windows.question.max()) + 1, np.inf, np.float32)
    np.minimum.at(smallest, windows.question, scores)
    return smallest


def _n_best(context, spans, count):
    """Returns the first spans with different texts as `Answer`s with probabilities."""
    chosen = {}
    for first, end, start_logit, end_logit in spans:
        if len(chosen) == count:
            break
        # A piece that is nothing but the space before the next word may have been the last one.
        text = context[first:end].rstrip()
        if not text:
            continue
        chosen.setdefault(text, (int(first), float(start_logit), float(end_logit)))
    if not chosen:
        chosen = {"": (0, 0.0, 0.0)}
    scores = np.array([start_logit + end_logit for _, start_logit, end_logit in chosen.values()])
    weights = np.exp(scores - scores.max())
    probabilities = weights / weights.sum()
    return [
        Answer(text, first, float(probability), start_logit, end_logit)
        for (text, (first, start_logit, end_logit)), probability in zip(
            chosen.items(), probabilities, strict=True
        )
    ]
