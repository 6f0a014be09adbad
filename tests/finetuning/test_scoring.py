# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which trials have failed, and what counts as better."""

import numpy as np
import pytest

from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.evaluation import Evaluation, failures_of, mean_score
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds import Predictions
from electra_tf.finetuning.kinds.scorers import is_better
from electra_tf.finetuning.split_data import SplitData
from electra_tf.finetuning.task import Task


def split_of(kind, metric, labels=("a", "b"), value_range=None):
    spec = TaskSpec("t", kind, (), metric=metric, labels=labels, value_range=value_range)
    return SplitData(Task(spec, "", BadRows()), "dev", [], {}, None, "", config=None)


@pytest.mark.parametrize(
    ("kind", "values", "reason"),
    [
        ("classification", [1, 1, 1], "collapsed to b"),
        ("classification", [1, 0, 1], None),
        ("multilabel", [[1, 1], [1, 1]], "collapsed to a, b"),
        ("multilabel", [[0, 0], [0, 0]], "collapsed to no label"),
        ("multilabel", [[0, 1], [1, 0]], None),
        ("tagging", [[0, 0], [0]], "collapsed to a"),
        ("tagging", [[0, 0], [1]], None),
        ("regression", [0.3, 0.3], "the same score is predicted for every example"),
        ("regression", [0.3, 0.4], None),
    ],
)
def test_collapsed(kind, values, reason):
    data = split_of(kind, "m", value_range=(0.0, 1.0))
    arrays = [np.array(row) for row in values] if kind == "tagging" else np.array(values)
    found = failures_of(data, Predictions(arrays), {"m": 2.0}, {"m": 1.0})
    assert found == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("metric", "score", "fails"),
    [
        *(("f1", 50.0, True), ("f1", 49.0, True), ("f1", 51.0, False)),
        *(("mse", 50.0, True), ("mse", 49.0, False), ("mse", 51.0, True)),
    ],
)
def test_not_above_the_baseline(metric, score, fails):
    data = split_of("classification", metric)
    found = failures_of(data, Predictions(np.array([0, 1])), {metric: score}, {metric: 50.0})
    text = f"{metric} {score:.2f} is not better than the baseline's 50.00"
    assert found == ([text] if fails else [])


def test_anything_is_better_than_nothing():
    assert is_better("f1", -1.0, None)


def test_mean_score_of_several_tasks_turns_errors_around():
    scores = (("f1", 80.0), ("mse", 0.5))
    evaluations = [Evaluation(split_of("regression", m), None, {m: score}) for m, score in scores]
    assert mean_score(evaluations) == (80.0 - 0.5) / 2
