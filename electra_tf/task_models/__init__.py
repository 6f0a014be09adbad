# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Keras models that take raw strings, one class for each kind of task."""

from electra_tf.task_models.question_answerer import QuestionAnswerer
from electra_tf.task_models.text_models import MultiLabelClassifier, TextClassifier, TextRegressor
from electra_tf.task_models.token_classifier import TokenClassifier

__all__ = [
    "MultiLabelClassifier",
    "QuestionAnswerer",
    "TextClassifier",
    "TextRegressor",
    "TokenClassifier",
]
