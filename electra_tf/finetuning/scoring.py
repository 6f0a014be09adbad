# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Scores of predictions for a split, the trivial ones beside them, and signs of failure."""

import numpy as np

from electra_tf.config import FinetuningConfig
from electra_tf.finetuning import baselines
from electra_tf.finetuning.decoding import Predictions
from electra_tf.finetuning.qa_answers import Answers
from electra_tf.finetuning.qa_metrics import mrqa_scores, squad_v1_scores, squad_v2_scores
from electra_tf.finetuning.scorers import (
    classification_scores,
    entity_scores,
    multilabel_scores,
    regression_scores,
    token_scores,
)
from electra_tf.finetuning.spans import to_bioes
from electra_tf.finetuning.split_data import SplitData
from electra_tf.finetuning.task import UNSEEN_TAG

LOWER_IS_BETTER = ("mse", "loss")


def scores_of(
    data: SplitData, predictions: Predictions, config: FinetuningConfig
) -> dict[str, float]:
    """All metrics of a labelled split: the headline first, `loss` last."""
    spec = data.task.spec
    if spec.kind == "qa":
        scores = _question_scores(data, predictions.values, config.qa_na_threshold)
    elif spec.kind == "tagging":
        scores = _tagging_scores(data, predictions.values)
    elif spec.kind == "regression":
        scores = regression_scores(predictions.values, [e.label for e in data.examples])
    elif spec.kind == "multilabel":
        scores = multilabel_scores(predictions.values, gold_ids(data))
    else:
        scores = classification_scores(predictions.values, gold_ids(data), len(spec.labels))
    if predictions.loss is not None:
        scores["loss"] = predictions.loss
    return {spec.metric: scores.pop(spec.metric), **scores}


def baseline_of(train: SplitData, data: SplitData, config: FinetuningConfig) -> dict[str, float]:
    """The metrics of what one would predict without a model: majority, mean, or first word."""
    spec, count = data.task.spec, len(data.examples)
    if spec.kind == "qa":
        null_odds = {e.id: 0.0 for e in data.examples} if spec.has_unanswerable else {}
        values = Answers(baselines.trivial_answers(data.examples), {}, null_odds)
    elif spec.kind == "tagging":
        words = [example.words for example in train.examples]
        tagger = baselines.MostFrequentTag(words, gold_tags(train))
        ids = {label: number for number, label in enumerate(spec.labels)}
        values = [[ids[tag] for tag in tagger(example.words)] for example in data.examples]
    elif spec.kind == "regression":
        values = [baselines.mean_target([e.label for e in train.examples])] * count
    elif spec.kind == "multilabel":
        values = np.tile(baselines.majority_labels(gold_ids(train)), (count, 1))
    else:
        values = [baselines.majority_class(gold_ids(train), len(spec.labels))] * count
    return scores_of(data, Predictions(values), config)


def is_better(metric: str, score: float, than: float | None) -> bool:
    """Whether a score beats another one; nothing is beaten by anything."""
    if than is None:
        return True
    return score < than if metric in LOWER_IS_BETTER else score > than


def failures_of(
    data: SplitData, predictions: Predictions, scores: dict[str, float], baseline: dict[str, float]
) -> list[str]:
    """Why a trial counts as failed; empty if it does not."""
    spec, reasons = data.task.spec, []
    if spec.kind == "regression":
        constant = np.ptp(predictions.values) < 1e-6 * (spec.value_range[1] - spec.value_range[0])
        reasons += ["the same score is predicted for every example"] if constant else []
    elif spec.kind != "qa":
        values = predictions.values
        rows = np.concatenate(values) if spec.kind == "tagging" else np.asarray(values)
        if len(np.unique(rows, axis=0)) == 1:
            first = np.atleast_1d(rows[0])
            chosen = np.flatnonzero(first) if spec.kind == "multilabel" else first
            labels = ", ".join(spec.labels[int(i)] for i in chosen) or "no label"
            reasons.append(f"collapsed to {labels}")
    if not is_better(spec.metric, scores[spec.metric], baseline[spec.metric]):
        reasons.append(
            f"{spec.metric} {scores[spec.metric]:.2f} is not better than the baseline's "
            f"{baseline[spec.metric]:.2f}"
        )
    return reasons


def gold_ids(data: SplitData) -> np.ndarray:
    """Label ids [n], or 0/1 [n, C], of examples with one row each."""
    return data.arrays[f"{data.task.name}_label_ids"]


def gold_tags(data: SplitData) -> list[tuple[str, ...]]:
    """Tags of every sentence as the labels name them."""
    spec = data.task.spec
    rows = [example.tags for example in data.examples]
    if spec.scheme == "spans":
        return [to_bioes(row, spec.span_rule) for row in rows]
    if spec.share_unseen_tags:
        return [tuple(tag if tag in spec.labels else UNSEEN_TAG for tag in row) for row in rows]
    return rows


def _tagging_scores(data, values):
    spec = data.task.spec
    gold = gold_tags(data)
    if spec.scheme == "spans":
        predicted = [[spec.labels[int(tag)] for tag in row] for row in values]
        return entity_scores(predicted, gold, spec.span_rule)
    ids = {label: number for number, label in enumerate(spec.labels)}
    return token_scores(values, [[ids[tag] for tag in row] for row in gold], ids.get(UNSEEN_TAG))


def _question_scores(data, answers, threshold):
    examples, spec = data.examples, data.task.spec
    if spec.official == "squad_v2":
        given = answers.predictions, answers.null_odds, threshold
        return squad_v2_scores(examples, *given, spec.answer_units)
    scores = squad_v1_scores if spec.official == "squad_v1" else mrqa_scores
    return scores(examples, answers.predictions, spec.answer_units)
