# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Whatever vocabulary is accepted, every file that holds it gives back its ids."""

import pathlib
import tempfile

import bert_rules
import hypothesis
import pytest
from hypothesis import strategies as st

from electra_tf import text
from electra_tf.interop.huggingface.content import read_tokenizer
from electra_tf.interop.huggingface.tokenizer_files import write_tokenizer

SPECIAL = list(text.SPECIAL_TOKENS)
ODD = [
    "",
    " ",
    "\r",
    "\u2028",
    "\ufeff",
    "\ufeffa",
    "\0",
    "\x7f",
    "\ufffd",
    "a\ufffd5",
    "##",
    "[PAD]",
]
TOKENS = st.one_of(
    st.sampled_from(["a", "b", "##a", "##b", "ab", "##ab", "é", "中", "##ก", "a b", "a\rb"]),
    st.sampled_from(ODD),
    st.sampled_from("ab\n\r\u2028\ud800 #\x85").flatmap(lambda c: st.just(f"a{c}")),
    st.text(max_size=4),
)
LINES = ["ab a b aab", "é中a ba \u2028 [PAD] ## # \x7f", f"กa ก {'ก' * 199} {'a' * 201}"]


def tokenizers_from_files(tokenizer, folder):
    """The tokenizer as each writer writes it and each reader reads it, by name."""
    text.save_vocabulary(tokenizer.vocabulary.tokens, folder / "v.txt")
    yield "vocab.txt", text.load_tokenizer(folder / "v.txt", True, True)
    text.save_tokenizer(tokenizer, folder / "own")
    yield "tokenizer folder", text.load_tokenizer(folder / "own")
    theirs = folder / "huggingface"
    theirs.mkdir()
    write_tokenizer(str(theirs), tokenizer, max_length=16)
    yield "Hugging Face's vocab.txt", text.load_tokenizer(theirs / "vocab.txt")
    assert read_tokenizer(str(theirs)).tokenizer.vocabulary == tokenizer.vocabulary
    (theirs / "vocab.txt").unlink()
    yield "Hugging Face's tokenizer.json", text.load_tokenizer(theirs / "tokenizer.json")
    assert read_tokenizer(str(theirs)).tokenizer.vocabulary == tokenizer.vocabulary


def assert_survives(tokens):
    tokenizer = text.WordPieceTokenizer(text.Vocabulary(tuple(tokens)))
    expected = tokenizer(LINES).to_list()
    ids = {token: number for number, token in enumerate(tokens)}
    assert expected == [bert_rules.tokenize(line.encode(), ids, True, True) for line in LINES]
    with tempfile.TemporaryDirectory() as folder:
        for name, found in tokenizers_from_files(tokenizer, pathlib.Path(folder)):
            assert found.vocabulary.tokens == tuple(tokens), name
            assert found.settings == tokenizer.settings, name
            assert found(LINES).to_list() == expected, name


@hypothesis.settings(max_examples=15, derandomize=True, deadline=None)
@hypothesis.given(before=st.lists(TOKENS, max_size=2), after=st.lists(TOKENS, max_size=20))
def test_what_is_accepted_survives_every_file(before, after):
    tokens = [*before, *SPECIAL, *after]
    try:
        text.Vocabulary(tuple(tokens))
    except ValueError:
        assert any("\n" in t or t.endswith("\r") or "\ud800" in t for t in tokens)
        return
    assert_survives(tokens)


@pytest.mark.parametrize(
    "tokens",
    [
        ["\ufeff[PAD]", *SPECIAL, "a"],
        [*SPECIAL, "a\ufffd5", "a", "a\ufffd5", "b\ufffd8", "b", "a"],
        [*SPECIAL, "a", *SPECIAL, "a", "", ""],
        [*SPECIAL, "ก" * 117, "##" + "ก" * 90, "ก", "##ก", "x" * 201],
    ],
)
def test_odd_vocabularies_survive(tokens):
    assert_survives(tokens)
