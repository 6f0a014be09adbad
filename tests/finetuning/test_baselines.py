# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Predictions without reading, and the tables of errors."""

from types import SimpleNamespace

import numpy as np
from task_files import squad_examples

from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.examples import TaggingExample, TextExample
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.kinds.scorers import class_report, multilabel_report


def trivial(kind, train, dev=(), **fields):
    """What `kind` predicts for dev without a model; train, dev: examples, or train arrays."""
    spec = TaskSpec("t", kind, (), metric="m", **fields)
    task = SimpleNamespace(spec=spec, name="t")
    arrays = {} if isinstance(train, list) else {"t_label_ids": np.array(train)}
    of_train = SimpleNamespace(task=task, examples=train, arrays=arrays)
    return kind_of(spec).trivial(of_train, SimpleNamespace(task=task, examples=list(dev)))


def test_constants():
    assert trivial("classification", (2, 1, 2, 1), "ab", labels=tuple("xyz")) == [1, 1]
    assert trivial("multilabel", ((1, 0, 1), (1, 0, 0)), "ab").tolist() == [[1, 0, 0]] * 2
    scores = [TextExample(i, "text", label=label) for i, label in enumerate((0.0, 0.5, 1.0))]
    assert trivial("regression", scores, "ab") == [0.5, 0.5]


def test_each_word_gets_its_most_frequent_tag():
    train = [
        TaggingExample(0, ("a", "b"), ("X", "Y")),
        TaggingExample(1, ("a", "c", "a"), ("Z", "Y", "Z")),
    ]
    dev = [TaggingExample(0, ("a", "b", "new"))]
    labels = ("X", "Y", "Z")
    assert trivial("tagging", train, dev, labels=labels, scheme="tokens") == [[2, 1, 1]]


def test_trivial_answers_are_pieces_of_the_contexts():
    answers = trivial("qa", [], squad_examples()).predictions
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
