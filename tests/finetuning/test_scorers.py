# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Scores by hand, the recorded one of chunking, and entities against an independent count."""

import json
import pathlib
import random

import numpy as np
import pytest
from task_files import recorded

from electra_tf.finetuning.kinds.scorers import (
    classification_scores,
    entity_scores,
    multilabel_scores,
    regression_scores,
    token_scores,
)


def test_two_classes():
    scores = classification_scores([1, 1, 0, 0, 1], [1, 0, 0, 1, 1], 2)
    assert scores["accuracy"] == pytest.approx(60.0)
    assert scores["precision"] == scores["recall"] == pytest.approx(100 * 2 / 3)
    assert scores["f1"] == pytest.approx(100 * 2 / 3)
    # Matthews by hand: (tp tn - fp fn) / sqrt(...), tp = 2, tn = 1, fp = fn = 1.
    assert scores["mcc"] == pytest.approx(100 * (2 * 1 - 1) / np.sqrt(3 * 3 * 2 * 2))


def test_three_classes_and_constant_predictions():
    scores = classification_scores([0, 0, 0], [0, 1, 2], 3)
    assert scores == pytest.approx({"accuracy": 100 / 3, "mcc": 0.0, "macro_f1": 100 * 0.5 / 3})
    assert classification_scores([0, 0], [0, 0], 2)["f1"] == 0.0


def test_regression():
    scores = regression_scores([1.0, 2.0, 4.0], [1.0, 3.0, 2.0])
    assert scores["mse"] == pytest.approx(5 / 3)
    assert scores["spearman"] == pytest.approx(50.0)
    assert scores["pearson"] == pytest.approx(100 * np.corrcoef([1, 2, 4], [1, 3, 2])[0, 1])
    constant = regression_scores([0.5, 0.5], [0.0, 1.0])
    assert constant == {"pearson": 0.0, "spearman": 0.0, "mse": 0.25}


def test_several_labels():
    scores = multilabel_scores([[1, 0], [1, 1], [0, 0]], [[1, 0], [0, 1], [0, 1]])
    assert scores["exact"] == pytest.approx(100 / 3)
    assert scores["micro_f1"] == pytest.approx(100 * 2 * 2 / (2 * 2 + 1 + 1))
    assert scores["macro_f1"] == pytest.approx(100 * 2 / 3)


def test_a_single_label_is_scored_as_each_of_several():
    scores = multilabel_scores([[1], [0], [0]], [[1], [1], [0]])
    assert scores == pytest.approx({"micro_f1": 200 / 3, "macro_f1": 200 / 3, "exact": 200 / 3})
    assert multilabel_scores([[0], [0]], [[0], [0]])["micro_f1"] == 0.0


def test_words_and_a_label_that_is_never_right():
    rows = [[0, 1], [2]], [[0, 2], [2]]
    assert token_scores(*rows) == pytest.approx({"accuracy": 200 / 3})
    assert token_scores(*rows, never_right=2) == pytest.approx({"accuracy": 100 / 3})


def test_chunking_has_the_recorded_scores():
    golden = recorded("tasks/features.json")["tasks"]["chunk"]
    tags = {number: tag for tag, number in golden["label_mapping"].items()}
    gold, predicted = [], []
    for row, predictions in zip(golden["dev"], golden["scoring"]["predictions"], strict=True):
        count = int(sum(row["chunk_labels_mask"]))
        gold.append([tags[i] for i in row["chunk_labels"][:count]])
        predicted.append([tags[i] for i in predictions[:count]])
    scores = entity_scores(predicted, gold, rule="reference")
    assert {name: scores[name] for name in golden["scoring"]["results"]} == golden["scoring"][
        "results"
    ]
    # The same 19 of 25 spans are right, but conlleval finds 35 predicted spans instead of 32: it
    # cuts ill-formed sequences where the type changes or after an E or S.
    conll = entity_scores(predicted, gold)
    assert conll["precision"] == pytest.approx(100 * 19 / 35)
    assert scores["conll_f1"] == conll["f1"] == pytest.approx(100 * 2 * 19 / (35 + 25))


def spans_by_conlleval(tags):
    """The rule of conlleval (and seqeval) written out case by case."""
    spans, start, kind, before = set(), None, None, "O"
    for position, tag in enumerate([*tags, "O"]):
        letter, _, this = tag.partition("-")
        changed = before != "O" and letter != "O" and this != kind
        ends = before in ("E", "S") or (before in ("B", "I") and letter in ("B", "S", "O"))
        if start is not None and (ends or changed):
            spans.add((start, position - 1, kind))
            start = None
        begins = letter in ("B", "S") or (before in ("E", "S", "O") and letter in ("E", "I"))
        if letter != "O" and (begins or changed):
            start = position
        before, kind = letter, this
    return spans


@pytest.mark.parametrize("letters", ["BIO", "BIOES"])
def test_entities_are_counted_as_by_conlleval(letters):
    source = random.Random(0)

    def tag():
        letter = source.choice(letters)
        return letter if letter == "O" else f"{letter}-{source.choice(['PER', 'geo-loc'])}"

    for _ in range(300):
        gold = [[tag() for _ in range(source.randint(1, 9))] for _ in range(3)]
        predicted = [[t if source.random() < 0.7 else tag() for t in row] for row in gold]
        found = [
            (spans_by_conlleval(p), spans_by_conlleval(g))
            for p, g in zip(predicted, gold, strict=True)
        ]
        right = sum(len(p & g) for p, g in found)
        counts = [sum(len(pair[side]) for pair in found) for side in (0, 1)]
        scores = entity_scores(predicted, gold)
        assert scores["precision"] == pytest.approx(100 * right / max(1, counts[0]))
        assert scores["recall"] == pytest.approx(100 * right / max(1, counts[1]))
        assert scores["f1"] == pytest.approx(200 * right / max(1, sum(counts)))


def test_entities_have_the_scores_recorded_from_seqeval():
    path = pathlib.Path(__file__).parent / "seqeval_scores.json"
    cases = json.loads(path.read_text())["cases"]
    assert len(cases) == 50
    for case in cases:
        rows = ([row.split() for row in case[side]] for side in ("predicted", "gold"))
        scores = entity_scores(*rows)
        for name in ("precision", "recall", "f1"):
            assert scores[name] == pytest.approx(case[name])


@pytest.mark.parametrize(
    ("score", "predictions", "gold"),
    [
        (lambda p, g: classification_scores(p, g, 2), [0, 1], [0]),
        (regression_scores, [], []),
        (multilabel_scores, [[0, 1]], [[0]]),
        (token_scores, [[0, 1], [1]], [[0, 1], [1, 1]]),
        (entity_scores, [["O"]], []),
    ],
)
def test_predictions_that_do_not_fit_are_errors(score, predictions, gold):
    with pytest.raises(ValueError, match="predictions and gold must"):
        score(predictions, gold)
