# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Scores of predictions against gold labels, in percent except for errors; tables of the classes.

Labels are ids, except for `entity_scores`, which takes tags.
"""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from electra_tf.finetuning.kinds.spans import spans_of

TWO_CLASS_METRICS = ("f1", "precision", "recall")
"""Of `classification_scores`: those of class 1 of two."""


LOWER_IS_BETTER = ("mse", "loss")


def is_better(metric: str, score: float, than: float | None) -> bool:
    """Whether a score beats another one; nothing is beaten by anything."""
    if than is None:
        return True
    return score < than if metric in LOWER_IS_BETTER else score > than


def classification_scores(
    predictions: Sequence[int], gold: Sequence[int], num_labels: int
) -> dict[str, float]:
    """Returns accuracy, mcc and macro_f1; of two classes also f1, precision, recall of class 1.

    A class that is never predicted or never there has the F1 0; a constant prediction the mcc 0.

    Raises:
        ValueError: there are no examples, or not as many predictions as labels.
    """
    predictions, gold = _vectors(predictions, gold)
    classes = list(range(num_labels))
    of_all = {"labels": classes, "average": "macro", "zero_division": 0}
    scores = {
        "accuracy": _metrics().accuracy_score(gold, predictions),
        "mcc": _matthews(gold, predictions),
        "macro_f1": _metrics().f1_score(gold, predictions, **of_all),
    }
    if num_labels == 2:
        precision, recall, f1, _ = _metrics().precision_recall_fscore_support(
            gold, predictions, labels=[1], average="macro", zero_division=0
        )
        scores |= {"f1": f1, "precision": precision, "recall": recall}
    return _percent(scores)


def regression_scores(predictions: Sequence[float], gold: Sequence[float]) -> dict[str, float]:
    """Returns pearson, spearman (0 where all predictions are the same) and mse (no percentage).

    Raises:
        ValueError: there are no examples, or not as many predictions as targets.
    """
    import scipy.stats

    predictions, gold = _vectors(predictions, gold, np.float64)
    correlations = {"pearson": scipy.stats.pearsonr, "spearman": scipy.stats.spearmanr}
    constant = len(gold) < 2 or np.ptp(predictions) == 0 or np.ptp(gold) == 0
    scores = {
        name: 0.0 if constant else function(gold, predictions)[0]
        for name, function in correlations.items()
    }
    return _percent(scores) | {"mse": float(np.mean(np.square(gold - predictions)))}


def ranking_scores(
    nearer: np.ndarray, as_near: np.ndarray, recalls: Sequence[int]
) -> dict[str, float]:
    """Returns mrr, the mean of 1 / rank, and recall_at_k, how often the rank is k or better.

    Of equals each order is as probable, so that where all are equal, scores are those of a random
    order.

    nearer: candidates that are ranked before the right one, int [n].
    as_near: the right one and those equal to it, int [n]; 1 where there are none.
    recalls: the values of k.

    Raises:
        ValueError: there are no examples, or not as many numbers of both.
    """
    nearer, as_near = _vectors(nearer, as_near)
    sums = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, 1 + np.max(nearer + as_near)))])
    scores = {"mrr": np.mean((sums[nearer + as_near] - sums[nearer]) / as_near)}
    for k in recalls:
        scores[f"recall_at_{k}"] = np.mean(np.clip((k - nearer) / as_near, 0.0, 1.0))
    return _percent(scores)


def multilabel_scores(predictions: np.ndarray, gold: np.ndarray) -> dict[str, float]:
    """Returns micro_f1, macro_f1 and exact (all labels right) of 0/1 arrays [n, C].

    Raises:
        ValueError: there are no examples, or the shapes differ.
    """
    predictions, gold = np.asarray(predictions, np.int64), np.asarray(gold, np.int64)
    if gold.ndim != 2 or gold.shape != predictions.shape or not len(gold):
        raise ValueError(
            "predictions and gold must be of one shape [n, C] with n > 0, received predictions "
            f"of shape {predictions.shape} and gold of shape {gold.shape}."
        )
    # Column by column: of a single label scikit-learn would also count its absence as a class.
    columns = [
        _metrics().f1_score(*column, zero_division=0)
        for column in zip(gold.T, predictions.T, strict=True)
    ]
    scores = {
        "micro_f1": _metrics().f1_score(gold.ravel(), predictions.ravel(), zero_division=0),
        "macro_f1": np.mean(columns),
        "exact": np.mean(np.all(gold == predictions, axis=1)),
    }
    return _percent(scores)


def token_scores(
    predictions: Sequence[Sequence[int]],
    gold: Sequence[Sequence[int]],
    never_right: int | None = None,
) -> dict[str, float]:
    """Returns accuracy over the words of all sentences, rows of label ids.

    never_right: a label that is wrong even where predicted, as tags that stand for unknown ones.

    Raises:
        ValueError: there are no words, or a row has not as many predictions as labels.
    """
    _check_rows(predictions, gold)
    predictions, gold = _vectors(np.concatenate(predictions), np.concatenate(gold))
    right = (predictions == gold) & (gold != (-1 if never_right is None else never_right))
    return {"accuracy": 100.0 * float(np.mean(right))}


def entity_scores(
    predictions: Sequence[Sequence[str]], gold: Sequence[Sequence[str]], rule: str = "conll"
) -> dict[str, float]:
    """Returns precision, recall, f1 of spans and accuracy of words, from rows of tags.

    rule: how ill-formed sequences are read (see `spans_of`). "conll" is what seqeval and conlleval
    count. Under "reference" conll_f1 is given too.

    Raises:
        ValueError: there are no sentences, or a row has not as many predictions as tags.
    """
    _check_rows(predictions, gold)
    pairs = list(zip(predictions, gold, strict=True))
    found = [(set(spans_of(p, rule)), set(spans_of(g, rule))) for p, g in pairs]
    right = sum(len(p & g) for p, g in found)
    precision = 100.0 * right / max(1, sum(len(p) for p, _ in found))
    recall = 100.0 * right / max(1, sum(len(g) for _, g in found))
    words = [a == b for p, g in pairs for a, b in zip(p, g, strict=True)]
    scores = {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if right else 0.0,
        "accuracy": 100.0 * sum(words) / max(1, len(words)),
    }
    if rule != "conll":
        scores["conll_f1"] = entity_scores(predictions, gold)["f1"]
    return scores


def _metrics():
    """scikit-learn's, imported with the first scores: that takes as long as building a model."""
    import sklearn.metrics

    return sklearn.metrics


def _matthews(gold: np.ndarray, predictions: np.ndarray):
    from sklearn.exceptions import UndefinedMetricWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        # scikit-learn warns where only one class occurs at all.
        warnings.simplefilter("ignore", UserWarning)
        return _metrics().matthews_corrcoef(gold, predictions)


def _vectors(predictions: Sequence[float], gold: Sequence[float], dtype: type = np.int64):
    predictions, gold = np.asarray(predictions, dtype), np.asarray(gold, dtype)
    if gold.ndim != 1 or gold.shape != predictions.shape or not len(gold):
        raise ValueError(
            "predictions and gold must be vectors of one length, not 0; received predictions of "
            f"shape {predictions.shape} and gold of shape {gold.shape}."
        )
    return predictions, gold


def _check_rows(predictions: Sequence[Sequence], gold: Sequence[Sequence]):
    lengths = [len(row) for row in predictions], [len(row) for row in gold]
    if lengths[0] != lengths[1] or not sum(lengths[1]):
        row = next((i for i, (p, g) in enumerate(zip(*lengths, strict=False)) if p != g), None)
        place = "."
        if row is not None:
            place = f"; in row {row}: {lengths[0][row]} predictions, {lengths[1][row]} gold labels."
        raise ValueError(
            "predictions and gold must have as many labels in every row, and some; received "
            f"{len(predictions)} rows of predictions and {len(gold)} rows of gold{place}"
        )


def _percent(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: float(100.0 * value) for name, value in scores.items()}


def class_report(predictions: Sequence[int], gold: Sequence[int], labels: Sequence[str]) -> str:
    """The confusion matrix, gold labels in rows, and below it a line for each label.

    predictions, gold: label ids [n].
    labels: names in the order of their ids.
    """
    ids = range(len(labels))
    matrix = _metrics().confusion_matrix(gold, predictions, labels=ids)
    counts = [[label, *map(str, row)] for label, row in zip(labels, matrix, strict=True)]
    scores = _metrics().precision_recall_fscore_support(
        gold, predictions, labels=ids, zero_division=0
    )
    table = _class_table(labels, scores, matrix.sum(axis=0))
    return _aligned([["gold \\ predicted", *labels], *counts]) + "\n\n" + table


def multilabel_report(predictions: np.ndarray, gold: np.ndarray, labels: Sequence[str]) -> str:
    """A line for each label, of 0/1 arrays [n, C]."""
    scores = [
        _metrics().precision_recall_fscore_support(
            gold[:, i], predictions[:, i], labels=[1], zero_division=0
        )
        for i in range(len(labels))
    ]
    return _class_table(labels, np.concatenate(scores, axis=1), predictions.sum(axis=0))


def _class_table(labels: Sequence[str], scores: Sequence[np.ndarray], predicted: np.ndarray) -> str:
    """Scores in percent; the numbers of examples that have a label, and of those that get it.

    scores: [4, C], precision, recall, F1 and number of examples; what is undefined is 0.
    predicted: [C].
    """
    table = [["label", "precision", "recall", "f1", "gold", "predicted"]]
    for label, *shares, gold, number in zip(labels, *scores, predicted, strict=True):
        row = [f"{100 * share:.2f}" for share in shares]
        table.append([label, *row, str(int(gold)), str(int(number))])
    return _aligned(table)


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
