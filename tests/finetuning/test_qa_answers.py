# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Answers from model outputs: the recorded ones, and always exact pieces of the context."""

import re

import numpy as np
import pytest
from task_files import as_arrays, recorded, squad_examples, tokenizer

from electra_tf.finetuning.files.examples import QuestionExample
from electra_tf.finetuning.kinds.question_answers import answer_questions
from electra_tf.finetuning.kinds.question_rows import question_features

OTHER_WHITE_SPACE = {
    f"q{number}"
    for number in (
        *(2, 10, 11, 14, 15, 16, 18, 24, 25, 40, 43, 49, 57, 58, 61, 74, 75, 77, 80, 84, 86),
        *(93, 95, 97, 106, 107, 110, 113, 114, 117, 118),
    )
}
"""Where the reference joins words by one space, the contexts have line ends or several spaces."""


def golden_answers(**changed):
    golden = recorded("qa/scoring.json")
    config, outputs = golden["config"], as_arrays(golden["model_outputs"])
    windows = question_features(
        squad_examples(),
        tokenizer(),
        config["max_seq_length"],
        "squad",
        doc_stride=config["doc_stride"],
        max_query_length=config["max_query_length"],
    ).windows
    return answer_questions(
        squad_examples(),
        windows,
        outputs | changed,
        config["n_best_size"],
        config["max_answer_length"],
        has_unanswerable=True,
    )


def test_predictions_are_the_recorded_ones_but_for_white_space():
    answers, expected = golden_answers(), recorded("qa/scoring.json")["predictions"]
    assert list(answers.predictions) == list(expected)
    for name, text in answers.predictions.items():
        assert " ".join(text.split()) == expected[name]
    different = {name for name, text in answers.predictions.items() if text != expected[name]}
    assert different == OTHER_WHITE_SPACE
    assert all(re.search(r"\n|  ", answers.predictions[name]) for name in different)


def test_null_odds_are_the_recorded_ones():
    assert golden_answers().null_odds == recorded("qa/scoring.json")["null_odds"]


def test_every_candidate_is_a_piece_of_the_context_and_once_in_the_list():
    answers = golden_answers()
    for example in squad_examples():
        candidates = answers.n_best[example.id]
        assert 1 <= len(candidates) <= 10
        assert len({c.text for c in candidates}) == len(candidates)
        for c in candidates:
            assert example.context[c.start : c.start + len(c.text)] == c.text
        probabilities = [c.probability for c in candidates]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1.0)
        assert candidates[0].text == answers.predictions[example.id]


def test_the_order_of_the_outputs_means_nothing_but_each_window_is_needed():
    outputs = as_arrays(recorded("qa/scoring.json")["model_outputs"])
    order = np.random.default_rng(0).permutation(len(outputs["eid"]))
    shuffled = {name: values[order] for name, values in outputs.items()}
    assert golden_answers(**shuffled) == golden_answers()
    with pytest.raises(ValueError, match=r"none for 1 of them, the first is eid 0\."):
        golden_answers(**{name: values[1:] for name, values in outputs.items()})


CONTEXT = "the naïve café in\nParis, 日本"
EXAMPLE = QuestionExample("q", "where", CONTEXT, (), True)


def independent(start_logits, end_logits, **options):
    """Answers with logits by position; [CLS] where [SEP] is at 0 to 2, then the context."""
    features = question_features([EXAMPLE], tokenizer(), 16, "qa", max_query_length=4)
    rows = np.full((2, 1, 16), -9.0, np.float32)
    for row, logits in zip(rows, (start_logits, end_logits), strict=True):
        for position, logit in logits.items():
            row[0, position] = logit
    outputs = {"eid": np.array([0]), "start_logits": rows[0], "end_logits": rows[1]}
    return answer_questions([EXAMPLE], features.windows, outputs, joint_prediction=False, **options)


def test_independent_prediction_adds_the_logits_of_start_and_end():
    answers = independent({4: 3.0, 7: 1.0, 8: 2.5}, {5: 2.0, 7: 1.5})
    best = answers.n_best["q"]
    assert [(c.text, c.start_logit, c.end_logit) for c in best[:3]] == [
        ("naïve café", 3.0, 2.0),
        ("naïve café in\nParis", 3.0, 1.5),
        ("Paris", 1.0, 1.5),
    ]
    assert answers.null_odds == {}


def test_texts_that_come_again_and_again_count_once():
    """The best 19 of the 20 spans that are allowed have the same text."""
    example = QuestionExample("q", "where", "é " * 19 + "日", (), True)
    windows = question_features([example], tokenizer(), 32, "qa", max_query_length=4).windows
    starts = windows.offset[0] + np.arange(20)
    ends = np.minimum(starts[:, None] + np.arange(20), 31)
    outputs = {
        "eid": np.array([0]),
        "start_top_index": starts[None],
        "end_top_index": ends[None],
        "start_top_log_probs": -np.arange(20.0)[None],
        "end_top_log_probs": np.zeros([1, 20, 20]),
    }
    answers = answer_questions([example], windows, outputs, n_best_size=3, max_answer_length=1)
    found = [(c.text, c.start, c.start_logit) for c in answers.n_best["q"]]
    assert found == [("é", 0, 0.0), ("日", 38, -19.0)]
    answers = answer_questions([example], windows, outputs, n_best_size=1, max_answer_length=1)
    assert answers.n_best["q"][0].probability == 1.0 and answers.predictions == {"q": "é"}


def test_without_a_classifier_the_first_token_stands_for_no_answer():
    options = {"has_unanswerable": True, "answerable_classifier": False}
    answers = independent({0: 1.0, 4: 3.0}, {0: 0.5, 5: 2.0}, **options)
    assert answers.null_odds == {"q": 1.5 - 5.0}
    assert answers.predictions == {"q": "naïve café"}


def test_spans_are_not_longer_than_allowed_and_the_empty_text_if_none_is():
    assert independent({4: 3.0}, {6: 2.0, 5: 1.0}, max_answer_length=2).predictions == {
        "q": "naïve café"
    }
    assert independent({0: 9.0}, {0: 9.0}, n_best_size=1).predictions == {"q": ""}
