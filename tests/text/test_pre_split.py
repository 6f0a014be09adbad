# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Text that was split into words before: each word goes to WordPiece as it stands."""

import random
import unicodedata

import pytest
import tensorflow as tf
from bert_rules import pieces

from electra_tf import text
from electra_tf.text.wordpiece import WordPieceTokenizer

LETTERS = "ab.,日本éどΣ\u200d\u0301"
TOKENS = [
    *text.SPECIAL_TOKENS,
    *LETTERS.lower(),
    *(f"##{letter}" for letter in LETTERS.lower()),
    "日本",
    "##本.",
    "a,b",
    "É",
    "##\u0301b",
    "x" * 120,
    "##" + "x" * 80,
    "e",
    "σ",
    "ς",
    "##ς",
    "##e",
    "\ufffd",
]
IDS = {token: number for number, token in enumerate(TOKENS)}
# What str.split separates at, but for four control characters that Unicode does not call spaces.
SPACES = " \t\n\v\f\r\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"


def expected_ids(line, lower, accents):
    for space in SPACES:
        line = line.replace(space, " ")
    if lower:
        line = line.lower()
    if accents:
        decomposed = unicodedata.normalize("NFD", line)
        line = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return [piece for word in line.split(" ") if word for piece in pieces(word, IDS)]


def lines():
    rng = random.Random(7)
    atoms = [*LETTERS, *SPACES, "   ", "É", "A", "a,b", "日本", "x" * 120, "x" * 200, "\0", "\x7f"]
    atoms += ["\x1f", "\U000f0001", "\U0010fffd", "\ue000", "\ufffd", "🙂", "[MASK]", "unknown"]
    return ["".join(rng.choices(atoms, k=rng.randint(0, 9))) for _ in range(400)]


@pytest.mark.parametrize(
    ("lower", "accents"), [(False, False), (True, False), (True, True)], ids=str
)
def test_ids_are_those_of_greedy_wordpiece(lower, accents):
    tokenizer = WordPieceTokenizer(text.Vocabulary(tuple(TOKENS)), lower, accents, pre_split=True)
    texts = lines()
    expected = [expected_ids(line, lower, accents) for line in texts]
    assert tokenizer(texts).to_list() == expected
    assert tf.function(tokenizer.__call__)(tf.constant(texts)).to_list() == expected
    found = tokenizer.offsets(texts)
    assert found.ids.to_list() == expected
    for line, starts, ends in zip(texts, found.starts.to_list(), found.ends.to_list(), strict=True):
        bounds = [place for pair in zip(starts, ends, strict=True) for place in pair]
        assert bounds == sorted(bounds) and all(s < e for s, e in zip(starts, ends, strict=True))
        covered = [line.encode()[s:e].decode() for s, e in zip(starts, ends, strict=True)]
        assert not set("".join(covered)) & set(SPACES)


def test_offsets_are_bytes_of_the_text():
    tokenizer = WordPieceTokenizer(text.Vocabulary(tuple(TOKENS)), True, True, pre_split=True)
    found = tokenizer.offsets(["É\u3000 日本本.  a,b", ""])
    tokens = [TOKENS[i] for i in found.ids.to_list()[0]]
    assert tokens == ["e", "日本", "##本.", "a,b"]
    assert found.starts.to_list() == [[0, 6, 12, 18], []]
    assert found.ends.to_list() == [[2, 12, 16, 21], []]


def test_words_of_tagged_sentences_are_the_same_words():
    tokenizer = WordPieceTokenizer(text.Vocabulary(tuple(TOKENS)), False, False, pre_split=True)
    words = ["日本", "a,b", "日本本."]
    assert tokenizer.of_words(words).to_list() == tokenizer(words).to_list()
    assert tokenizer.words(["日本  a,b\t."]).to_list() == [["日本".encode(), b"a,b", b"."]]


def test_the_setting_is_stored_and_held_to(tmp_path):
    tokenizer = WordPieceTokenizer(text.Vocabulary(tuple(TOKENS)), False, False, pre_split=True)
    text.save_tokenizer(tokenizer, tmp_path)
    found = text.load_tokenizer(tmp_path)
    assert found.pre_split and found.settings == tokenizer.settings
    assert found.settings["pre_split"] is True
    assert text.stored_settings(tmp_path)["pre_split"] is True
    with pytest.raises(ValueError, match=r"was made with pre_split True; received False"):
        text.load_tokenizer(tmp_path, pre_split=False)
    plain = tmp_path / "plain"
    text.save_tokenizer(WordPieceTokenizer(text.Vocabulary(tuple(TOKENS))), plain)
    assert "pre_split" not in text.load_tokenizer(plain).settings
    with pytest.raises(ValueError, match="pre_split False; received True"):
        text.load_tokenizer(plain, pre_split=True)


def test_a_vocabulary_is_trained_on_such_words():
    lines = ["日本 a,b 日本 a,b"] * 5
    split = text.count_words(lines, pre_split=True)
    assert split == {"日本": 10, "a,b": 10}
    assert set(text.count_words(lines)) == {"日", "本", "a", ",", "b"}
    tokens = text.train_wordpiece_vocabulary(lines, 100, pre_split=True)
    assert {"日本", "a,b"} <= set(tokens)
