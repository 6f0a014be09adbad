# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Features and answers with a SentencePiece model: ids of its own, answers exact to the byte."""

import dataclasses
import types

import numpy as np
import own_texts
import pytest

from electra_tf.finetuning.files.examples import QuestionExample, TaggingExample, TextExample
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.kinds.question_answers import answer_questions
from electra_tf.finetuning.kinds.question_rows import question_features
from electra_tf.finetuning.kinds.tagging_rows import tagging_features

LENGTH = 64
ANSWERS = {
    "de": ("Straße", "alten Mühle.", "Kinder", "Großmutter", "Bitte Füße abtreten!", "Stück"),
    "ja": ("水車小屋", "リンゴの花", "祖母", "小麦粉", "「足をふいてください」", "だれも"),
}


def questions(language):
    lines = {"de": own_texts.GERMAN, "ja": own_texts.JAPANESE}[language]
    # Wide spaces and full-width letters before the answer: offsets must not drift.
    context = "ＡＢＣ　㎏ｶﾞ  " + "\n".join(lines)
    return [
        QuestionExample(f"q{n}", lines[0], context, ((answer, context.index(answer)),), False)
        for n, answer in enumerate(ANSWERS[language])
    ]


@pytest.mark.parametrize("language", ["de", "ja"])
def test_answers_are_found_again(language):
    examples, tokenizer = questions(language), own_texts.tokenizer(language)
    found = question_features(examples, tokenizer, LENGTH, "qa", doc_stride=16, max_query_length=16)
    starts, ends = (found.arrays[f"qa_{side}_positions"] for side in ("start", "end"))
    vocabulary = tokenizer.vocabulary
    assert (found.arrays["input_ids"][:, 0] == vocabulary.cls_id).all()
    assert ((found.arrays["input_ids"] == vocabulary.sep_id).sum(axis=1) == 2).all()
    one_hot = np.eye(LENGTH, dtype=np.float32)
    outputs = {
        "eid": found.windows.eids,
        "start_logits": 9 * one_hot[starts],
        "end_logits": 9 * one_hot[ends],
    }
    answers = answer_questions(examples, found.windows, outputs, joint_prediction=False)
    for example in examples:
        text, first = answers.predictions[example.id], answers.n_best[example.id][0].start
        expected = example.answers[0][0]
        # Pieces may be wider than an answer that ends inside of them, in Japanese.
        assert expected in text and len(text) <= len(expected) + 4
        assert example.context[first : first + len(text)] == text == text.strip()


def test_a_span_never_ends_with_a_space():
    """A piece `▁` alone, before a word that begins with an unknown character, may be the last."""
    tokenizer = own_texts.tokenizer("de")
    context = "Die Mühle \U0001f33e steht."
    example = QuestionExample("q", "Die?", context, (), True)
    features = question_features([example], tokenizer, LENGTH, "qa", max_query_length=16)
    windows = features.windows
    ids = features.arrays["input_ids"][0][windows.offset[0] :][: windows.length[0]]
    blank = [n for n, i in enumerate(ids) if tokenizer.vocabulary.token_of(int(i)) == "▁"]
    assert blank, "the text is meant to have a piece without characters"
    for last in range(blank[0], windows.length[0]):
        offset = windows.offset[0]
        first, end = windows.characters(
            np.array([0]), np.array([offset]), np.array([offset + last])
        )
        assert context[first[0] : end[0]].startswith("Die")
    one_hot = np.eye(LENGTH, dtype=np.float32)[None]
    outputs = {
        "eid": windows.eids,
        "start_logits": 9 * one_hot[:, offset],
        "end_logits": 9 * one_hot[:, offset + blank[0]],
    }
    answers = answer_questions([example], windows, outputs, joint_prediction=False)
    assert answers.predictions["q"] == "Die Mühle"
    outputs["start_logits"] = 9 * one_hot[:, offset + blank[0]]
    answers = answer_questions([example], windows, outputs, n_best_size=1, joint_prediction=False)
    assert answers.predictions["q"] == ""


def test_words_are_tagged_at_their_first_piece():
    tokenizer = own_texts.tokenizer("de")
    words = tuple(own_texts.GERMAN[1].split())
    spec = types.SimpleNamespace(name="t", labels=("A",), scheme="words", share_unseen_tags=False)
    example = TaggingExample(0, words, ("A",) * len(words))
    arrays = tagging_features([example], tokenizer, LENGTH, spec)
    count = int(arrays["t_labels_mask"].sum())
    assert count == len(words)
    positions = arrays["t_labeled_positions"][0, :count]
    tokens = [tokenizer.vocabulary.token_of(int(i)) for i in arrays["input_ids"][0]]
    assert all(tokens[p].startswith("▁") for p in positions)
    assert tokenizer.vocabulary.join(tokens[1 : arrays["input_mask"].sum() - 1]) == " ".join(words)


def test_texts_are_packed_with_the_models_own_special_ids():
    plain = own_texts.tokenizer("ja")
    names = dataclasses.replace(plain.vocabulary.special, cls="川", pad="の")
    (model,) = plain.files().values()
    tokenizer = type(plain)(model, names)
    spec = types.SimpleNamespace(name="t", kind="classification", labels=("A", "B"))
    examples = [TextExample(0, "お茶", None, "B"), TextExample(1, "お茶", "水", "A")]
    arrays, _ = kind_of(spec).rows(spec, examples, tokenizer, 16)
    vocabulary = tokenizer.vocabulary
    assert (arrays["input_ids"][:, 0] == plain.vocabulary.id_of("川")).all()
    padding = arrays["input_ids"][arrays["input_mask"] == 0]
    assert (padding == vocabulary.id_of("の")).all() and vocabulary.pad_id == padding[0]
