# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer gives the reference's ids, in every way of calling it, for every string."""

import random

import bert_rules
import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from electra_tf import text


def differing(found, expected, lines):
    return [line for line, a, b in zip(lines, found, expected, strict=True) if a != b]


def test_goldens(tokenizer, setting, goldens):
    found = tokenizer(goldens["lines"])
    assert found.dtype == tf.int32
    assert not differing(found.to_list(), goldens[setting], goldens["lines"])


@pytest.mark.parametrize("batch_size", [1, 7, 800])
def test_goldens_in_a_pipeline(tokenizer, setting, goldens, batch_size):
    lines = tf.data.Dataset.from_tensor_slices(goldens["lines"]).batch(batch_size)
    found = [ids for batch in lines.map(tokenizer) for ids in batch.to_list()]
    assert not differing(found, goldens[setting], goldens["lines"])


def test_traced_once_for_all_batch_sizes(uncased, goldens):
    traced = tf.function(uncased).get_concrete_function(tf.TensorSpec([None], tf.string))
    for count in (0, 1, 5):
        lines = tf.constant(goldens["lines"][:count], tf.string)
        assert traced(lines).to_list() == goldens["uncased"][:count]


def test_saved_and_loaded(uncased, goldens, tmp_path):
    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.tokenizer = uncased

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
        def __call__(self, texts):
            return self.tokenizer(texts)

    tf.saved_model.save(Exported(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert loaded(goldens["lines"][:50]).to_list() == goldens["uncased"][:50]


def test_texts_without_words(uncased):
    texts = ["", " \t\r\n\u3000\u2028", "\x00\x7f\u200b", b"\xff\xfe", "\u0301"]
    assert uncased(texts).to_list() == [[]] * len(texts)
    assert uncased.words(texts).to_list() == [[]] * len(texts)
    offsets = uncased.offsets(texts)
    assert [part.to_list() for part in offsets] == [[[]] * len(texts)] * 3


@pytest.mark.parametrize("letter", ["x", "é", "𝒳", "中"])
@pytest.mark.parametrize("length", [200, 201])
def test_words_of_more_than_200_characters_are_unknown(uncased, letter, length):
    ids = uncased([f"the {letter * length}!"]).to_list()[0]
    as_python = bert_rules.tokenize(
        f"the {letter * length}!".encode(),
        {token: i for i, token in enumerate(uncased.vocabulary.tokens)},
        True,
        True,
    )
    assert ids == as_python
    if length > 200 and letter != "中":  # an ideograph is a word of its own
        assert ids[1:-1] == [uncased.vocabulary.unk_id]


def test_long_lines(uncased):
    line = "The naïve İstanbul ΟΔΟΣ, " * 40_000  # 1.2 MB
    once = uncased(["The naïve İstanbul ΟΔΟΣ, "]).to_list()[0]
    assert uncased([line, "x" * 1_000_000]).to_list() == [once * 40_000, [100]]


def test_one_long_line_among_many(uncased):
    """Time and memory follow from the text, not from lines times the longest."""
    once = uncased(["naïve café"]).to_list()[0]
    found = uncased(["naïve café"] * 20_000 + ["naïve café " * 50_000]).to_list()
    assert found == [once] * 20_000 + [once * 50_000]


def test_tokens_with_control_characters_keep_their_ids():
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a\x7fb", "hello", "##\x7f", "world"]
    vocabulary = text.Vocabulary(tuple(tokens), text.SpecialTokens())
    tokenizer = text.WordPieceTokenizer(vocabulary)
    assert tokenizer(["hello world a\x7fb \x7f", "x" * 201]).to_list() == [[6, 8, 1], [1]]


def as_bytes(line):
    return line.encode(errors="surrogatepass")


def random_lines(seed, num_bytes, longest_word):
    """Bytes of random characters of all kinds, with a space here and there; not all is UTF-8."""
    draw = random.Random(seed)
    kinds = [
        lambda: draw.randrange(0x20, 0x7F),
        lambda: draw.randrange(0x80, 0x3000),
        lambda: draw.randrange(0x4E00, 0x9FFF),
        lambda: draw.randrange(0x110000),  # mostly unassigned or private, also surrogates
        lambda: ord(draw.choice("ΣσİßñÉ\u0301\u00ad\u200d\u3000ﬁ")),
    ]
    line = bytearray()
    while len(line) < num_bytes:
        kind = draw.choice(kinds)
        word = "".join(chr(kind()) for _ in range(draw.randrange(1, longest_word)))
        line += word.encode(errors="surrogatepass") + b" "
    return bytes(line)


@pytest.mark.parametrize("longest_word", [8, 500])
def test_a_random_line_of_a_megabyte(uncased, longest_word):
    line = random_lines(longest_word, 1 << 20, longest_word)
    ids_of_pieces = {token: i for i, token in enumerate(uncased.vocabulary.tokens)}
    ids, starts, ends = (part.to_list()[0] for part in uncased.offsets([line]))
    assert ids == bert_rules.tokenize(line, ids_of_pieces, True, True)
    assert uncased([line]).to_list() == [ids]
    assert starts == sorted(starts) and ends == sorted(ends) and ends[-1] <= len(line)


SPECIMENS = [
    st.characters(exclude_categories=()),  # with unassigned and private ones, and surrogates
    st.characters(max_codepoint=0x7F),
    st.characters(min_codepoint=0x80, max_codepoint=0x3000),
    st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
    st.sampled_from("the running of cafés"),
    # What decides whether a capital sigma is final, and letters that change their length.
    st.sampled_from("ΣΣΑάσς aB.’'\u00ad\u0345\u0301ʰİIÅﬁ\u200d\u2028\x85[]"),
    st.sampled_from("𝒳日本한\U000e0100\U000e0001\U00030000\U0010ffff"),
]
LINES = st.one_of(
    [st.text(characters, max_size=30).map(as_bytes) for characters in SPECIMENS]
    + [
        st.lists(st.one_of(SPECIMENS), max_size=20).map("".join).map(as_bytes),
        st.binary(max_size=12),
        st.integers(198, 203).map(lambda n: b"the " + "é".encode() * n),
        # Surrogates, overlong forms and cut-off characters between letters.
        st.sampled_from([b"a\xed\xa0\x80b", b"a\xc0\x80b", b"the\xe4\xb8 dog", b"\xf0\x9f\x98x"]),
    ]
)


@hypothesis.settings(max_examples=60, derandomize=True, deadline=None)
@hypothesis.given(lines=st.lists(LINES, min_size=1, max_size=40))
def test_equals_the_rules_in_plain_python(tokenizer, lines):
    switches = tokenizer.do_lower_case, tokenizer.strip_accents
    ids_of_pieces = {token: i for i, token in enumerate(tokenizer.vocabulary.tokens)}
    expected = [bert_rules.tokenize(line, ids_of_pieces, *switches) for line in lines]
    assert tokenizer(lines).to_list() == expected
    words = [bert_rules.basic_words(line.decode(errors="replace"), *switches) for line in lines]
    assert [[w.decode() for w in row] for row in tokenizer.words(lines).to_list()] == words
    assert tokenizer.offsets(lines).ids.to_list() == expected


@hypothesis.settings(max_examples=40, derandomize=True, deadline=None)
@hypothesis.given(lines=st.lists(LINES, min_size=1, max_size=40))
def test_offsets_slice_the_original(uncased, lines):
    ids, starts, ends = (part.to_list() for part in uncased.offsets(lines))
    slices, pieces = [], []
    for line, *row in zip(lines, ids, starts, ends, strict=True):
        assert row[1] == sorted(row[1]) and row[2] == sorted(row[2])
        for token, start, end in zip(*row, strict=True):
            assert 0 <= start < end <= len(line)
            slices.append(line[start:end])
            pieces.append(uncased.vocabulary.token_of(token).removeprefix("##"))
    for piece, part in zip(pieces, slices, strict=True):
        found = "".join(bert_rules.basic_words(part.decode(errors="replace"), True, True))
        # Alone, no sigma is at the end of a longer word.
        assert piece == "[UNK]" or piece.replace("ς", "σ") in found.replace("ς", "σ")


WORDS = [
    "日本語",
    "a日本b",
    "well-known",
    "日本、語",
    "",
    "Ⅸ",
    "é" * 201,
    "U.S.",
    "\ufa0e中",
    "日\u3000本",
]


def test_words_split_before_are_split_at_punctuation_only(tokenizer):
    """As tagging in the reference: an ideograph is a word of its own in running text only."""
    switches = tokenizer.do_lower_case, tokenizer.strip_accents
    ids_of_pieces = {token: i for i, token in enumerate(tokenizer.vocabulary.tokens)}
    expected = []
    for word in WORDS:
        parts = bert_rules.basic_words(word, *switches, split_ideographs=False)
        expected.append([i for part in parts for i in bert_rules.pieces(part, ids_of_pieces)])
    assert tokenizer.of_words(WORDS).to_list() == expected
    assert tokenizer.of_words([]).to_list() == []
    plain = ["Hello", "U.S.", "can't"]
    assert tokenizer.of_words(plain).to_list() == tokenizer(plain).to_list()
    assert tf.function(tokenizer.of_words)(tf.constant(WORDS)).to_list() == expected


def test_accents_stay_where_case_stays(vocab_file, goldens):
    # The reference looks at strip_accents only if it lower-cases.
    tokenizer = text.load_tokenizer(vocab_file, do_lower_case=False, strip_accents=True)
    assert tokenizer(goldens["lines"]).to_list() == goldens["cased"]
    assert tokenizer.settings["strip_accents"] is False


def test_settings_say_what_decides_the_ids(tokenizer, setting):
    assert tokenizer.settings == {
        "kind": "wordpiece",
        "do_lower_case": setting != "cased",
        "strip_accents": setting == "uncased",
        "vocab_size": 30522,
        "vocab_sha256": tokenizer.vocabulary.sha256,
    }


def test_only_vectors_of_strings(uncased):
    with pytest.raises(ValueError, match=r"texts must be a vector of strings \[B\]"):
        uncased("one string")


def test_a_folder_with_a_vocabulary(tmp_path, vocab_file):
    (tmp_path / "vocab.txt").write_bytes(open(vocab_file, "rb").read())
    assert text.load_tokenizer(tmp_path)(["hello"]).to_list() == [[7592]]
