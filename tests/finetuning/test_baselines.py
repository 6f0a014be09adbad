# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Predictions without reading, and the tables of errors."""

import numpy as np
from task_files import squad_examples

from electra_tf.finetuning.kinds.baselines import (
    MostFrequentTag,
    majority_class,
    majority_labels,
    mean_target,
    trivial_answers,
)
from electra_tf.finetuning.kinds.scorers import class_report, multilabel_report


def test_constants():
    assert majority_class([2, 1, 2, 1], 3) == 1
    assert majority_labels([[1, 0, 1], [1, 0, 0]]).tolist() == [1, 0, 0]
    assert mean_target([0.0, 0.5, 1.0]) == 0.5


def test_each_word_gets_its_most_frequent_tag():
    tag = MostFrequentTag([["a", "b"], ["a", "c", "a"]], [["X", "Y"], ["Z", "Y", "Z"]])
    assert tag(["a", "b", "new"]) == ["Z", "Y", "Y"]


def test_trivial_answers_are_pieces_of_the_contexts():
    answers = trivial_answers(squad_examples())
    assert all(
        example.context.strip().startswith(answers[example.id]) for example in squad_examples()
    )


def test_confusion_matrix_and_table_of_classes():
    report = class_report([0, 1, 1, 1], [0, 0, 1, 2], ("no", "maybe", "yes"))
    assert report.splitlines() == [
        "gold \\ predicted  no  maybe  yes",
        "no                 1      1    0",
        "maybe              0      1    0",
        "yes                0      1    0",
        "",
        "label  precision  recall     f1  gold  predicted",
        "no        100.00   50.00  66.67     2          1",
        "maybe      33.33  100.00  50.00     1          3",
        "yes         0.00    0.00   0.00     1          0",
    ]


def test_table_of_several_labels():
    report = multilabel_report(np.array([[1, 0], [1, 1]]), np.array([[1, 1], [0, 1]]), ("a", "b"))
    assert report.splitlines()[1:] == [
        "a          50.00  100.00  66.67     1          2",
        "b         100.00   50.00  66.67     2          1",
    ]
