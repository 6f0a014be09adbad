# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The official metrics of question answering: the recorded scores and small cases by hand."""

import pytest
from task_files import recorded, squad_examples

from electra_tf.finetuning.files.examples import QuestionExample
from electra_tf.finetuning.kinds.question_metrics import (
    mrqa_scores,
    normalize_answer,
    squad_v1_scores,
    squad_v2_scores,
    token_f1,
)

NA_THRESHOLD = -2.75


def test_scores_of_the_recorded_predictions_are_the_recorded_ones():
    golden = recorded("qa/scoring.json")
    scores = squad_v2_scores(
        squad_examples(), golden["predictions"], golden["null_odds"], NA_THRESHOLD
    )
    assert scores == golden["results"]


def test_white_space_in_predictions_changes_no_score():
    golden = recorded("qa/scoring.json")
    spaced = {name: text.replace(" ", "\n  ") for name, text in golden["predictions"].items()}
    scores = squad_v2_scores(squad_examples(), spaced, golden["null_odds"], NA_THRESHOLD)
    assert scores == golden["results"]


def test_normalization_and_f1():
    assert normalize_answer(" The  Eiffel-Tower, an icon!") == "eiffeltower icon"
    assert token_f1("the big red dog", "red dog") == pytest.approx(2 * (2 / 3) / (2 / 3 + 1))
    assert token_f1("a", "the") == 0.0


def question(name, *accepted):
    return QuestionExample(name, "", "", (), not accepted, accepted)


EXAMPLES = [question("a", "Paris", "in Paris"), question("b", "red dog")]


def test_v1_takes_the_best_answer_and_counts_missing_predictions():
    assert squad_v1_scores(EXAMPLES, {"a": "in paris."}) == {"exact_match": 50.0, "f1": 50.0}
    assert squad_v1_scores(EXAMPLES, {"a": "Lyon", "b": "dog"})["f1"] == pytest.approx(100 / 3)


def test_mrqa_leaves_missing_predictions_out():
    assert mrqa_scores(EXAMPLES, {"a": "in paris."}) == {"exact_match": 100.0, "f1": 100.0}


def test_v2_answers_up_to_the_threshold_and_finds_the_best_one():
    examples = [*EXAMPLES, question("c"), question("d")]
    predictions = {"a": "Paris", "b": "a red cat", "c": "x", "d": "y"}
    odds = {"a": -3.0, "b": -1.0, "c": -2.0, "d": 1.0}
    scores = squad_v2_scores(examples, predictions, odds, threshold=-1.5)
    # a: right; b: above the threshold, so none; c: answered, wrong; d: none, right.
    assert (scores["exact"], scores["HasAns_exact"], scores["NoAns_exact"]) == (50.0, 50.0, 50.0)
    assert (scores["total"], scores["HasAns_total"], scores["NoAns_total"]) == (4, 2, 2)
    # From 2 right without answers: a makes 3, c takes 1, b (F1 0.5) gives half a point.
    assert (scores["best_exact"], scores["best_exact_thresh"]) == (75.0, -3.0)
    assert (scores["best_f1"], scores["best_f1_thresh"]) == (75.0, -3.0)
    answerable = squad_v2_scores(EXAMPLES, predictions, odds, threshold=0.0)
    assert "NoAns_f1" not in answerable
    assert answerable["f1"] == pytest.approx(75.0)


@pytest.mark.parametrize(
    ("prediction", "gold", "exact", "f1"),
    [
        ("北京市", "北京", 0.0, 0.8),
        ("「北京」。", "北 京", 1.0, 1.0),
        ("กรุงเทพ", "กรุงเทพฯ", 0.0, 14 / 15),
        ("the cat", "cat", 0.0, 6 / 9),
        ("东京", "北海", 0.0, 0.0),
    ],
)
def test_answers_can_be_compared_by_characters(prediction, gold, exact, f1):
    examples, predictions = [question("a", gold)], {"a": prediction}
    expected = {"exact_match": 100 * exact, "f1": pytest.approx(100 * f1)}
    assert squad_v1_scores(examples, predictions, "characters") == expected
    assert mrqa_scores(examples, predictions, "characters") == expected
    scores = squad_v2_scores(examples, predictions, {"a": 0.0}, 1.0, "characters")
    assert (scores["exact"], scores["f1"]) == (100 * exact, pytest.approx(100 * f1))


def test_characters_change_nothing_where_words_count():
    assert token_f1("北京市", "北京") == 0.0
    assert squad_v1_scores(EXAMPLES, {"a": "in paris."})["f1"] == 50.0
