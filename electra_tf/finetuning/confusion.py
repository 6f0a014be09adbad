# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where predictions go wrong: the confusion matrix and a table per class."""

import typing

import numpy as np


class ClassRow(typing.NamedTuple):
    """Scores of one class, in percent; gold and predicted are numbers of examples."""

    label: str
    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int


def confusion_matrix(predictions, gold, num_labels):
    """Returns counts int64 [C, C]: rows are gold labels, columns predicted ones."""
    cells = np.asarray(gold, np.int64) * num_labels + np.asarray(predictions, np.int64)
    return np.bincount(cells, minlength=num_labels**2).reshape(num_labels, num_labels)


def class_table(matrix, labels):
    """Returns a `ClassRow` per label of a `confusion_matrix`; what is undefined is 0."""
    rows = []
    for number, label in enumerate(labels):
        right = int(matrix[number, number])
        gold, predicted = int(matrix[number].sum()), int(matrix[:, number].sum())
        rows.append(
            ClassRow(
                label,
                100.0 * right / max(1, predicted),
                100.0 * right / max(1, gold),
                200.0 * right / max(1, gold + predicted),
                gold,
                predicted,
            )
        )
    return rows


def multilabel_table(predictions, gold, labels):
    """Returns a `ClassRow` per label of 0/1 arrays [n, C]."""
    predictions, gold = np.asarray(predictions, np.int64), np.asarray(gold, np.int64)
    return [
        class_table(confusion_matrix(predictions[:, i], gold[:, i], 2), ("not", label))[1]
        for i, label in enumerate(labels)
    ]


def formatted_matrix(matrix, labels):
    """Returns a `confusion_matrix` as aligned lines, gold labels in rows."""
    header = ["gold \\ predicted", *labels]
    table = [header, *([label, *map(str, row)] for label, row in zip(labels, matrix, strict=True))]
    return _aligned(table)


def formatted_table(rows):
    """Returns `ClassRow`s as aligned lines."""
    table = [list(ClassRow._fields)]
    for row in rows:
        scores = (f"{value:.2f}" for value in row[1:4])
        table.append([row.label, *scores, str(row.gold), str(row.predicted)])
    return _aligned(table)


def _aligned(table):
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
