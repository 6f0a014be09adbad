# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where predictions go wrong, as text: the confusion matrix and a table of the classes."""

from collections.abc import Sequence

import numpy as np
import sklearn.metrics


def class_report(predictions: Sequence[int], gold: Sequence[int], labels: Sequence[str]) -> str:
    """The confusion matrix, gold labels in rows, and below it a line for each label.

    Args:
        predictions, gold: label ids [n].
        labels: names in the order of their ids.
    """
    ids = range(len(labels))
    matrix = sklearn.metrics.confusion_matrix(gold, predictions, labels=ids)
    counts = [[label, *map(str, row)] for label, row in zip(labels, matrix, strict=True)]
    scores = sklearn.metrics.precision_recall_fscore_support(
        gold, predictions, labels=ids, zero_division=0
    )
    table = _class_table(labels, scores, matrix.sum(axis=0))
    return _aligned([["gold \\ predicted", *labels], *counts]) + "\n\n" + table


def multilabel_report(predictions: np.ndarray, gold: np.ndarray, labels: Sequence[str]) -> str:
    """A line for each label, of 0/1 arrays [n, C]."""
    scores = [
        sklearn.metrics.precision_recall_fscore_support(
            gold[:, i], predictions[:, i], labels=[1], zero_division=0
        )
        for i in range(len(labels))
    ]
    return _class_table(labels, np.concatenate(scores, axis=1), predictions.sum(axis=0))


def _class_table(labels: Sequence[str], scores: Sequence[np.ndarray], predicted: np.ndarray) -> str:
    """Scores in percent; the numbers of examples that have a label, and of those that get it.

    Args:
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
