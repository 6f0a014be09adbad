# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Windows over contexts: the recorded ones, and where their tokens stand in the text."""

import numpy as np
import pytest
from task_files import as_arrays, recorded, squad_examples, tokenizer

from electra_tf.finetuning.files import examples as file_examples
from electra_tf.finetuning.files.examples import QuestionExample
from electra_tf.finetuning.kinds.question_rows import question_features

SETTINGS = {"max_seq_length": 128, "doc_stride": 48, "max_query_length": 24}


@pytest.mark.parametrize("split", ["train", "dev"])
def test_windows_are_the_recorded_ones(split):
    expected = as_arrays(recorded("qa/features.json")[split])
    assert not np.any(expected.pop("task_id"))  # which a run adds
    examples = squad_examples()
    features = question_features(examples, tokenizer(), task_name="squad", **SETTINGS).arrays
    for key, values in expected.items():
        np.testing.assert_array_equal(features[key], values, err_msg=key)


def test_parts_of_the_questions_give_the_same_rows(monkeypatch):
    """Contexts of several questions may be there twice then, so places are compared."""
    examples = squad_examples()[:40]
    found = []
    for characters in (file_examples.CHARACTERS_AT_ONCE, 7000):
        monkeypatch.setattr(file_examples, "CHARACTERS_AT_ONCE", characters)
        found.append(question_features(examples, tokenizer(), task_name="squad", **SETTINGS))
    (arrays, windows), (other_arrays, other_windows) = found
    assert len(other_windows.splits) > len(windows.splits)
    for name, rows in arrays.items():
        np.testing.assert_array_equal(other_arrays[name], rows, err_msg=name)
    rows, offset = np.arange(len(windows.eids)), windows.offset
    places = [w.characters(rows, offset, offset + w.length - 1) for _, w in found]
    np.testing.assert_array_equal(*places)
    for name in ("question", "best_first", "best_last"):
        np.testing.assert_array_equal(getattr(other_windows, name), getattr(windows, name))


def test_answers_are_where_the_positions_say():
    examples = squad_examples()
    arrays, windows = question_features(examples, tokenizer(), task_name="squad", **SETTINGS)
    rows = np.flatnonzero(arrays["squad_start_positions"])
    first, end = windows.characters(
        rows, arrays["squad_start_positions"][rows], arrays["squad_end_positions"][rows]
    )
    answered = {windows.question[row] for row in rows}
    assert answered == {i for i, example in enumerate(examples) if example.answers}
    for row, a, b in zip(rows, first, end, strict=True):
        example = examples[windows.question[row]]
        text, answer = example.context[a:b], example.answers[0][0].rstrip()
        # Some recorded answers end inside of a word; then the word is completed.
        assert text == answer or (text.startswith(answer) and text[len(answer) :].isalpha())


def features_of(context, answer=None, length=16, stride=4, **options):
    answers = () if answer is None else ((answer, context.index(answer)),)
    example = QuestionExample("q", "why", context, answers, answer is None)
    return question_features(
        [example], tokenizer(), length, "qa", doc_stride=stride, max_query_length=8, **options
    )


def test_characters_count_letters_and_not_bytes():
    context = "Müller’s naïve café 日本 \U0001f600 end"
    arrays, windows = features_of(context, "café 日本", length=32)
    start, end = arrays["qa_start_positions"], arrays["qa_end_positions"]
    first, last = windows.characters(np.array([0]), start, end)
    assert context[first[0] : last[0]] == "café 日本"


@pytest.mark.parametrize("answer", ["apa", "Japan", "(Japan", "panese) fi"])
def test_an_answer_inside_of_words_takes_the_tokens_that_it_touches(answer):
    context = "The (Japanese) film"
    arrays, windows = features_of(context, answer, length=24)
    row = np.array([0])
    first, end = windows.characters(row, arrays["qa_start_positions"], arrays["qa_end_positions"])
    text = context[first[0] : end[0]]
    assert answer in text
    assert text in ("Japanese", "(Japanese", "Japanese) film")


@pytest.mark.parametrize(("words", "length", "stride"), [(40, 16, 4), (41, 13, 5), (9, 16, 128)])
def test_each_token_has_the_most_context_in_exactly_one_window(words, length, stride):
    context = " ".join("abcdefghijklmnopqrstuvwxyz"[i % 26] for i in range(words))
    _, windows = features_of(context, length=length, stride=stride)
    seen = np.zeros((len(windows.eids), words), int)
    best = np.zeros_like(seen)
    for row in range(len(windows.eids)):
        shift = windows.first_token[row] - windows.offset[row]
        a = windows.first_token[row]
        seen[row, a : a + windows.length[row]] = 1
        best[row, windows.best_first[row] + shift : windows.best_last[row] + shift + 1] = 1
    assert (best.sum(axis=0) == 1).all()
    assert (best <= seen).all()
    tokens = np.arange(words)
    context_of = [
        np.minimum(tokens - first, first + count - 1 - tokens)
        for first, count in zip(windows.first_token, windows.length, strict=True)
    ]
    chosen = np.take_along_axis(np.array(context_of), np.argmax(best, axis=0)[None], 0)[0]
    assert (chosen >= np.max(context_of, axis=0) - 1).all()  # the longer window may win a tie


def test_settings_and_texts_that_cannot_be_used_are_errors():
    room = r"max_query_length is expected to be at most 7, 4 less than max_seq_length=11, but is 8"
    with pytest.raises(ValueError, match=room):
        features_of("a b", length=11)
    with pytest.raises(ValueError, match="doc_stride is expected to be at least 1, but is 0"):
        features_of("a b", stride=0)
    with pytest.raises(ValueError, match=r"question 'q': expected a context with words"):
        features_of("\u200b")
    with pytest.raises(ValueError, match=r"question 'q': expected an answer with words"):
        features_of("a \u200b b", "\u200b")
    with pytest.raises(ValueError, match="at most 1000 windows"):
        features_of("a " * 3000, stride=1)
