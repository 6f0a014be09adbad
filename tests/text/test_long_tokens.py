# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tokens of more bytes than tensorflow-text's op takes are matched as in the reference."""

import random

import bert_rules
import pytest
import tensorflow as tf

from electra_tf import text

THAI, KHMER, SINGLE = "ก", "ខ", "é"
LONG = [
    THAI * 117,
    THAI * 86,  # 258 bytes; 85 letters would be 255
    "##" + THAI * 90,
    "##" + KHMER * 100 + "a",
    KHMER * 43 + "𝒳" * 43 + "b",
    "##" + "𝒳" * 65,
    "ж" * 129,
]
SHORT = [THAI, f"##{THAI}", f"##{THAI * 85}", KHMER, f"##{KHMER}", "𝒳", "##𝒳", "ж", "##ж"]
ASCII = ["a", "##a", "b", "##b", ".", "the"]
TOKENS = [*text.SPECIAL_TOKENS, *SHORT, *LONG, *ASCII]


@pytest.fixture(scope="module")
def tokenizer():
    return text.WordPieceTokenizer(text.Vocabulary(tuple(TOKENS)), False, False)


def expected_ids(line, tokens=TOKENS):
    ids = {token: number for number, token in enumerate(tokens)}
    return bert_rules.tokenize(line.encode(), ids, False, False)


def random_word(draw):
    """A word of runs that are about as long as the tokens, now and then of too many characters."""
    parts = []
    for _ in range(draw.randrange(1, 4)):
        near = draw.choice((1, 2, 42, 43, 65, 85, 90, 100, 116, 129)) + draw.randrange(2)
        parts.append(draw.choice((THAI, KHMER, "𝒳", "ж", "a", "b", SINGLE)) * near)
    return "".join(parts)


@pytest.fixture(scope="module")
def lines():
    draw = random.Random(7)
    words = [[random_word(draw) for _ in range(draw.randrange(1, 4))] for _ in range(150)]
    made = [draw.choice((" ", ". ", " the ")).join(parts) for parts in words]
    pieces = [token.removeprefix("##") for token in LONG]
    return [*made, "", "the a.", *pieces, *(a + b for a in pieces for b in pieces)]


def test_ids(tokenizer, lines):
    expected = list(map(expected_ids, lines))
    assert tokenizer(lines).to_list() == expected
    seen = {number for ids in expected for number in ids}
    assert seen.issuperset(map(TOKENS.index, LONG))  # else this test would show nothing
    batches = tf.data.Dataset.from_tensor_slices(lines).batch(50).map(tokenizer)
    assert [ids for batch in batches for ids in batch.to_list()] == expected


def test_ids_of_words(tokenizer, lines):
    words = [word for line in lines for word in line.split() if "." not in word]
    assert tokenizer.of_words(words).to_list() == list(map(expected_ids, words))


def test_offsets(tokenizer, lines):
    found = tokenizer.offsets(lines)
    assert found.ids.to_list() == tokenizer(lines).to_list()
    cut = [
        [line.encode()[start:end].decode() for start, end in zip(starts, ends, strict=True)]
        for line, starts, ends in zip(
            lines, found.starts.to_list(), found.ends.to_list(), strict=True
        )
    ]
    for ids, pieces in zip(found.ids.to_list(), cut, strict=True):
        for number, piece in zip(ids, pieces, strict=True):
            assert number == 1 or piece == TOKENS[number].removeprefix("##")


@pytest.mark.parametrize("num_bytes", range(254, 261))
@pytest.mark.parametrize("prefix", ["", "##"])
def test_around_the_limit(num_bytes, prefix):
    """80 letters of 3 bytes, and as many of 2 and 1 as the token needs for its length."""
    token = prefix + THAI * 80 + "é" * ((num_bytes - 240) // 2) + "a" * (num_bytes % 2)
    assert len(token.removeprefix("##").encode()) == num_bytes
    tokens = [*text.SPECIAL_TOKENS, "b", token, "##b"]
    tokenizer = text.WordPieceTokenizer(text.Vocabulary(tuple(tokens)), False, False)
    piece = token.removeprefix("##")
    lines = [piece, f"b{piece}", f"b{piece}b", f"{piece}b"]
    assert tokenizer(lines).to_list() == [expected_ids(line, tokens) for line in lines]


def test_saved_and_loaded(tokenizer, tmp_path):
    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.tokenizer = tokenizer

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            return self.tokenizer(texts)

    tf.saved_model.save(Exported(), str(tmp_path))
    line = f"the {THAI * 120}{KHMER * 100}a."
    assert tf.saved_model.load(str(tmp_path))([line]).to_list() == [expected_ids(line)]


def test_words_of_more_than_200_characters_stay_unknown(tokenizer):
    assert tokenizer([THAI * 200, THAI * 201]).to_list()[1] == [1]
    assert tokenizer([THAI * 200]).to_list() == [expected_ids(THAI * 200)]
