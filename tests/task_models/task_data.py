# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts and labels for each kind of task model, and models that learn them in no time."""

import pytest
from tiny_finetuning import LEARNING, sentences

from electra_tf.task_models import (
    MultiLabelClassifier,
    QuestionAnswerer,
    TextClassifier,
    TextRegressor,
    TokenClassifier,
)

CLASSES = ("no", "yes")
QUESTION_SETTINGS = {"max_query_length": 4, "doc_stride": 4, "beam_size": 4}


def texts(count=24, seed=0):
    return [" ".join(words) for words, _ in sentences(count, seed)]


def classes(count=24, seed=0):
    return [label for _, label in sentences(count, seed)]


def tagged(count=24, seed=0):
    """Sentences as lists of words, and BIO tags: w1 and w2 are spans."""
    rows = [words for words, _ in sentences(count, seed)]
    return rows, [["B-A" if word in ("w1", "w2") else "O" for word in words] for words in rows]


def questions(count=8):
    """Questions, contexts, and answers: the third word of each context."""
    contexts = [" ".join(f"w{first + i}" for i in range(9)) for first in range(count)]
    answers = [(context.split()[2], context.index(context.split()[2])) for context in contexts]
    return [f"w{i} w2" for i in range(count)], contexts, answers


def classifier(preset, **changes):
    return TextClassifier.from_preset(preset, CLASSES, **{**LEARNING, **changes})


def make(name, preset):
    """A model of a class, its texts and its labels."""
    words, tags = tagged()
    asked, contexts, answers = questions()
    labels = classes()
    qa = {**LEARNING, **QUESTION_SETTINGS}
    makers = {
        "TextClassifier": lambda: (classifier(preset), texts(), labels),
        "MultiLabelClassifier": lambda: (
            MultiLabelClassifier.from_preset(preset, CLASSES, **LEARNING),
            texts(),
            [[label, 1 - label] for label in labels],
        ),
        "TextRegressor": lambda: (
            TextRegressor.from_preset(preset, value_range=(0, 5), **LEARNING),
            (texts(), texts(seed=1)),
            [2.5 * label for label in labels],
        ),
        "TokenClassifier": lambda: (
            TokenClassifier.from_preset(preset, ("O", "B-A", "I-A"), **LEARNING),
            words,
            tags,
        ),
        "QuestionAnswerer": lambda: (
            QuestionAnswerer.from_preset(preset, **qa),
            (asked, contexts),
            answers[:4] + [None] * 4,
        ),
    }
    return makers[name]()


NAMES = (
    "TextClassifier",
    pytest.param("MultiLabelClassifier", marks=pytest.mark.slow),
    pytest.param("TextRegressor", marks=pytest.mark.slow),
    pytest.param("TokenClassifier", marks=pytest.mark.slow),
    "QuestionAnswerer",
)
"""Of all models; those that show the most are tried by the quick tests."""
