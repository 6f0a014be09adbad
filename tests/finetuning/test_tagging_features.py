# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Long sentences are cut into windows; every word is predicted exactly once."""

import numpy as np
import pytest
from task_files import tokenizer, tokens_of

from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files import examples as file_examples
from electra_tf.finetuning.files.examples import TaggingExample
from electra_tf.finetuning.kinds.spans import to_bioes
from electra_tf.finetuning.kinds.tagging_rows import join_windows, tagging_features

TAGS = ("A", "B", "C", "D", "E")
SPEC = TaskSpec("pos", "tagging", (), "accuracy", labels=TAGS, scheme="tokens")
VOCABULARY = ("the", "a", "supercalifragilistic", "U.S.A.", "naïve", "日本", "\u200b", "." * 40)


def random_sentences(lengths, seed=0):
    random = np.random.default_rng(seed)
    return [
        TaggingExample(
            10 + number,
            tuple(random.choice(VOCABULARY, length).tolist()),
            tuple(random.choice(TAGS, length).tolist()),
        )
        for number, length in enumerate(lengths)
    ]


@pytest.mark.parametrize("length", [3, 8, 16, 64])
def test_each_word_has_its_label_once_whatever_the_length(length):
    examples = random_sentences([1, 5, 12, 60, 200])
    features = tagging_features(examples, tokenizer(), length, SPEC)
    labels = join_windows(
        features["pos_eid"],
        features["pos_first_word"],
        features["pos_labels_mask"],
        features["pos_labels"],
    )
    assert {eid: [TAGS[i] for i in row] for eid, row in labels.items()} == {
        example.id: list(example.tags) for example in examples
    }


@pytest.mark.parametrize("length", [8, 32])
def test_a_word_is_predicted_at_its_first_token(length):
    examples = random_sentences([50, 3, 80], seed=1)
    examples = [
        TaggingExample(e.id, tuple(w for w in e.words if w != "\u200b"), None) for e in examples
    ]
    first_tokens = {w: tokens_of(tokenizer()([w]).to_list()[0])[0] for w in VOCABULARY[:5]}
    first_tokens |= {"日本": "日", "." * 40: "."}
    features = tagging_features(examples, tokenizer(), length, SPEC)
    found = join_windows(
        features["pos_eid"],
        features["pos_first_word"],
        features["pos_labels_mask"],
        np.take_along_axis(features["input_ids"], features["pos_labeled_positions"], axis=1),
    )
    for example in examples:
        assert tokens_of(found[example.id]) == [first_tokens[word] for word in example.words]


def test_words_in_the_middle_have_context_on_both_sides():
    example = TaggingExample(0, tuple("abcdefghij" * 10), None)
    features = tagging_features([example], tokenizer(), 22, SPEC)
    first = features["pos_labeled_positions"][:, 0]
    count = features["pos_labels_mask"].sum(axis=1).astype(int)
    last = np.take_along_axis(features["pos_labeled_positions"], count[:, None] - 1, 1)[:, 0]
    used = features["input_mask"].sum(axis=1)
    assert (first[1:] - 1 >= 5).all()
    assert (used[:-1] - 2 - last[:-1] >= 5).all()


def test_windows_are_those_computed_by_hand():
    """Four tokens fit: rows of words 0-3, 2-5, 4-7 and 6-9, which predict 3, 2, 2 and 3 words."""
    examples = [
        TaggingExample(7, (), ()),
        TaggingExample(8, tuple("abcdefghij"), tuple("ABCDEABCDE")),
        TaggingExample(9, (), ()),
        TaggingExample(5, ("supercalifragilistic", "z"), ("E", "D")),
    ]
    features = tagging_features(examples, tokenizer(), 6, SPEC)
    assert features["pos_eid"].tolist() == [7, 8, 8, 8, 8, 9, 5, 5]
    assert features["pos_first_word"].tolist() == [0, 0, 3, 5, 7, 0, 0, 1]
    rows = [tokens_of(row)[1:-1] for row in features["input_ids"]]
    assert ["".join(row) for row in rows[:6]] == ["", "abcd", "cdef", "efgh", "ghij", ""]
    # Of a word that fills a row, what does not fit is left out.
    assert (len(rows[6]), rows[7]) == (4, ["z"])
    places = [row[row > 0].tolist() for row in features["pos_labeled_positions"]]
    assert places == [[], [1, 2, 3], [2, 3], [2, 3], [2, 3, 4], [], [1], [1]]
    assert features["pos_labels_mask"].sum(axis=1).tolist() == [len(row) for row in places]
    assert [row[:3].tolist() for row in features["pos_labels"][1:5]] == [
        *([0, 1, 2], [3, 4, 0], [0, 1, 0], [2, 3, 4])
    ]


def test_parts_of_the_sentences_give_the_same_rows(monkeypatch):
    examples = random_sentences([5, 0, 12, 60, 1, 30])
    whole = tagging_features(examples, tokenizer(), 16, SPEC)
    monkeypatch.setattr(file_examples, "CHARACTERS_AT_ONCE", 300)
    parts = tagging_features(examples, tokenizer(), 16, SPEC)
    for name, rows in whole.items():
        np.testing.assert_array_equal(parts[name], rows, err_msg=name)


def test_rows_of_a_window_are_one_segment_of_ones():
    features = tagging_features(random_sentences([3]), tokenizer(), 32, SPEC)
    np.testing.assert_array_equal(features["segment_ids"], features["input_mask"])
    assert features["pos_labels_mask"].dtype == np.float32


def test_special_tokens_in_the_text_are_words():
    example = TaggingExample(0, ("[SEP]", "end"), ("A", "B"))
    features = tagging_features([example], tokenizer(), 16, SPEC)
    assert tokens_of(features["input_ids"][0]) == ["[CLS]", "[", "sep", "]", "end", "[SEP]"]
    assert features["pos_labeled_positions"][0, :2].tolist() == [1, 4]
    assert features["pos_labels"][0, :2].tolist() == [0, 1]


def test_words_with_ideographs_are_cut_at_punctuation_only():
    example = TaggingExample(0, ("日本", "x日,本y"), None)
    features = tagging_features([example], tokenizer(), 16, SPEC)
    assert tokens_of(features["input_ids"][0])[1:6] == ["日", "##本", "x", "##日", ","]


def test_spans_become_bioes_and_unseen_tags_share_a_label():
    tags = ("B-X", "I-X", "O", "B-Y")
    labels = tuple(sorted(set(to_bioes(tags))))
    spans = TaskSpec("ner", "tagging", (), "f1", labels=labels, scheme="spans")
    example = TaggingExample(0, ("a", "b", "c", "d"), tags)
    features = tagging_features([example], tokenizer(), 8, spans)
    assert [labels[i] for i in features["ner_labels"][0, :4]] == ["B-X", "E-X", "O", "S-Y"]
    shared = TaskSpec(
        "ccg", "tagging", (), "accuracy", ("N", "<unseen>"), scheme="tokens", share_unseen_tags=True
    )
    example = TaggingExample(0, ("a", "b", "c"), ("N", "V", "W"))
    assert tagging_features([example], tokenizer(), 8, shared)["ccg_labels"][0, :3].tolist() == [
        *(0, 1, 1)
    ]
