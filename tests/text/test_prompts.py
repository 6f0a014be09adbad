# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows with an option in a gap: the tokens of the whole text, cut where they may be."""

import pytest
import tensorflow as tf

from electra_tf.config.prompts import parts_of_template
from electra_tf.text import SPECIAL_TOKENS, load_tokenizer
from electra_tf.text.prompts import Cut, prompt_rows, split_at_gap

WORDS = ["good", "un", "##good", "it", "was", ".", *"abcdefgh"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("prompts") / "vocab.txt"
    path.write_text("\n".join([*SPECIAL_TOKENS, *WORDS]) + "\n")
    return load_tokenizer(str(path))


def tokens_of(tokenizer, rows):
    """The tokens of each row, those of the option in brackets."""
    found = []
    ids, masks = rows.batch["input_ids"].numpy(), rows.option_mask.numpy()
    for row, mask, real in zip(ids, masks, rows.batch["input_mask"].numpy(), strict=True):
        names = [tokenizer.vocabulary.token_of(int(i)) for i in row[real == 1]]
        marked = [f"<{n}>" if m else n for n, m in zip(names, mask, strict=False)]
        found.append(" ".join(marked[1:-1]))
    return found


def rows_of(tokenizer, pieces, option, cuts, max_seq_length=32, length=None):
    columns = [tf.constant([piece]) for piece in pieces]
    return prompt_rows(tokenizer, columns, option, cuts, max_seq_length, length)


def test_a_text_is_tokenized_as_a_whole(tokenizer):
    rows = rows_of(tokenizer, ["it was ", "good", "."], 1, [Cut(0), Cut(2)])
    assert tokens_of(tokenizer, rows) == ["it was <good> ."]
    # A word that is begun before the option: its pieces are those of the whole word.
    rows = rows_of(tokenizer, ["it was un", "good", " a"], 1, [Cut(0), Cut(2)])
    assert tokens_of(tokenizer, rows) == ["it was un <##good> a"]
    assert rows.num_tokens.numpy() == 1 and rows.num_unknown.numpy() == 0
    rows = rows_of(tokenizer, ["it ", "good x", ""], 1, [Cut(0), Cut(2)])
    assert tokens_of(tokenizer, rows) == ["it <good> <[UNK]>"]
    assert rows.num_tokens.numpy() == 2 and rows.num_unknown.numpy() == 1


@pytest.mark.parametrize(
    ("max_seq_length", "expected"),
    [
        (32, "a b c d it was <good> . e f g"),
        (10, "a b it was <good> . e f"),
        (8, "a it was <good> . e"),
        (7, "a it was <good> ."),
        (6, "it was <good> ."),
    ],
)
def test_the_prompt_and_the_option_are_never_cut(tokenizer, max_seq_length, expected):
    pieces = ["a b c d", " it was ", "good", ". ", "e f g"]
    for length in (None, max_seq_length):
        rows = rows_of(tokenizer, pieces, 2, [Cut(0), Cut(4)], max_seq_length, length)
        assert tokens_of(tokenizer, rows) == [expected]
        assert rows.option_mask.shape == rows.batch["input_ids"].shape
    assert rows.is_truncated.numpy() == (max_seq_length < 13) and rows.fits.numpy()
    too_short = rows_of(tokenizer, pieces, 2, [Cut(0), Cut(4)], 5)
    assert not too_short.fits.numpy()


def test_ends_far_from_the_option_are_cut(tokenizer):
    rows = rows_of(tokenizer, ["a b c d ", "good", " e f g h"], 1, [Cut(0, True), Cut(2)], 7)
    assert tokens_of(tokenizer, rows) == ["c d <good> e f"]
    rows = rows_of(tokenizer, ["a b c d ", "good", " e"], 1, [Cut(0, True), Cut(2)], 7)
    assert tokens_of(tokenizer, rows) == ["b c d <good> e"]


def test_a_text_has_one_gap():
    before, behind = split_at_gap(tf.constant(["it {} so", "{}"]))
    assert before.numpy().tolist() == [b"it ", b""] and behind.numpy().tolist() == [b" so", b""]
    for text in ("none", "{} and {}", ""):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"to have \{\} once"):
            split_at_gap(tf.constant(["{}", text]))
    assert parts_of_template("{text_a} It was {}.") == ["", "{text_a}", " It was ", "{}", "."]
