# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Predictions without reading, and the tables of errors."""

import numpy as np
from task_files import squad_examples

from electra_tf.finetuning.baselines import (
    MostFrequentTag,
    majority_class,
    majority_labels,
    mean_target,
    trivial_answers,
)
from electra_tf.finetuning.confusion import (
    class_table,
    confusion_matrix,
    formatted_matrix,
    formatted_table,
    multilabel_table,
)


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


def test_confusion_matrix_and_tables():
    matrix = confusion_matrix([0, 1, 1, 1], [0, 0, 1, 2], 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    rows = class_table(matrix, ("no", "maybe", "yes"))
    assert rows[0][1:] == (100.0, 50.0, 200 / 3, 2, 1)
    assert rows[2][1:] == (0.0, 0.0, 0.0, 1, 0)
    assert formatted_matrix(matrix, ("no", "maybe", "yes")).splitlines()[1:] == [
        "no                 1      1    0",
        "maybe              0      1    0",
        "yes                0      1    0",
    ]
    assert formatted_table(rows).splitlines()[1] == (
        "no        100.00   50.00  66.67     2          1"
    )
    several = multilabel_table(np.array([[1, 0], [1, 1]]), np.array([[1, 1], [0, 1]]), ("a", "b"))
    assert several[0][1:] == (50.0, 100.0, 200 / 3, 1, 2)
    assert several[1][1:] == (100.0, 50.0, 200 / 3, 2, 1)
