# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Added tokens: ids and offsets are those of Hugging Face's tokenizers library."""

import dataclasses
import json
import random

import pytest
import tensorflow as tf
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

from electra_tf import text
from electra_tf.text.vocabulary import AddedToken
from electra_tf.text.wordpiece import WordPieceTokenizer

LETTERS = "abcdeflnrstuwx0123456789é"
TOKENS = [
    *text.SPECIAL_TOKENS,
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
    *"[]<>:.,!@#_日本각가",
    *("##日", "##本", "##ᅡ", "##ᆨ", "##가", "the", "url", "user", "ab", "##cd", "[unused1]"),
]
NEXT = len(TOKENS)
CONTENTS = (
    *("[URL]", "<user>", "ab", "AB", "abc", "日本", "the", "#x", "Ünit", "a b", "_", "가", "é"),
    *("[E1]", "@@", "c d", "1", "[unused1]"),
)
MORE_TEXT = (
    *("x", "  ", "\t", "\u3000", "é", "e\u0301", "日", "本", "각", "A", "B", "[", "]", ".", "cd"),
    *("\u200d", "word", "Ⓐ", "a", " ", "\u00a0", "\0", "[MASK"),
)
REMOVED = "\0\u200d\u0301"


def library(tokens, lower, accents, pre_split):
    model = models.WordPiece(
        {token: number for number, token in enumerate(TOKENS)},
        unk_token="[UNK]",
        max_input_chars_per_word=200,
    )
    made = tokenizers.Tokenizer(model)
    made.normalizer = normalizers.BertNormalizer(
        clean_text=not pre_split,
        handle_chinese_chars=not pre_split,
        strip_accents=accents,
        lowercase=lower,
    )
    made.pre_tokenizer = (
        pre_tokenizers.WhitespaceSplit() if pre_split else pre_tokenizers.BertPreTokenizer()
    )
    for token in tokens:
        flags = {k: v for k, v in dataclasses.asdict(token).items() if k != "id"}
        made.add_tokens([tokenizers.AddedToken(**flags)])
    return made


def drawn_tokens(rng):
    tokens, following = [], len(TOKENS)
    for content in rng.sample(CONTENTS, rng.randint(1, 6)):
        is_known = content in TOKENS
        flags = [rng.random() < 0.4 for _ in range(4)]
        number = TOKENS.index(content) if is_known else following
        tokens.append(AddedToken(content, number, *flags, special=rng.random() < 0.2))
        following += not is_known
    return tokens


def with_tokens(*tokens, **settings):
    vocabulary = text.Vocabulary(tuple(TOKENS)).with_added(tokens, "the test")
    return WordPieceTokenizer(vocabulary, **settings)


def added(content, number=NEXT, **flags):
    return AddedToken(content, number, **flags)


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 40))]
)
def test_ids_and_offsets_are_the_librarys(seed):
    rng = random.Random(seed)
    tokens = drawn_tokens(rng)
    lower, pre_split = seed % 3 > 0, seed % 4 == 3
    theirs = library(tokens, lower, lower and seed % 2 == 0, pre_split)
    ours = with_tokens(
        *tokens, do_lower_case=lower, strip_accents=seed % 2 == 0, pre_split=pre_split
    )
    contents = [token.content for token in tokens]
    atoms = (*contents, *contents, *CONTENTS, *MORE_TEXT)
    texts = ["".join(rng.choices(atoms, k=rng.randint(0, 12))) for _ in range(60)]
    expected = [theirs.encode(line, add_special_tokens=False) for line in texts]
    ids = [found.ids for found in expected]
    assert tf.function(ours.__call__)(tf.constant(texts)).to_list() == ids
    found = ours.offsets(texts)
    assert found.ids.to_list() == ids
    for line, starts, ends, encoded in zip(
        texts, found.starts.to_list(), found.ends.to_list(), expected, strict=True
    ):
        bounds = [(len(line[:a].encode()), len(line[:b].encode())) for a, b in encoded.offsets]
        assert starts == [start for start, _ in bounds], line
        for end, (_, their_end) in zip(ends, bounds, strict=True):
            # A token here covers removed characters that follow it, too.
            assert end >= their_end
            assert not line.encode()[their_end:end].decode().strip(REMOVED), line


@pytest.mark.parametrize(
    ("token", "line", "tokens", "starts", "ends"),
    [
        (added("[URL]"), "a[url] b", ["a", "[URL]", "b"], [0, 1, 7], [1, 6, 8]),
        (added("[URL]", normalized=False), "b [URL][", ["b", "[URL]", "["], [0, 2, 7], [1, 7, 8]),
        (added("#x", single_word=True), "a#x #x", [*"a#x", "#x"], [0, 1, 2, 4], [1, 2, 3, 6]),
        (added("@@", lstrip=True), "a  @@b", ["a", "@@", "b"], [0, 1, 5], [1, 5, 6]),
        (added("@@", rstrip=True), "@@\u3000 b", ["@@", "b"], [0, 6], [6, 7]),
        (added("ab", TOKENS.index("ab")), "cab", ["c", "ab"], [0, 1], [1, 3]),
    ],
)  # fmt: skip
def test_flags(token, line, tokens, starts, ends):
    tokenizer = with_tokens(token)
    found = tokenizer.offsets([line])
    names = [tokenizer.vocabulary.token_of(number) for number in found.ids.to_list()[0]]
    assert (names, found.starts.to_list()[0], found.ends.to_list()[0]) == (tokens, starts, ends)
    assert tokenizer([line]).to_list() == found.ids.to_list()


def test_the_longest_of_many_tokens():
    rng = random.Random(3)
    contents = sorted({"".join(rng.choices("abc.*[日", k=rng.randint(2, 5))) for _ in range(300)})
    contents = [content for content in contents if content not in TOKENS]
    tokens = [added(c, NEXT + n, normalized=n % 2 == 0) for n, c in enumerate(contents)]
    texts = ["".join(rng.choices("abc.*[日 ", k=40)) for _ in range(50)]
    expected = [
        line.ids
        for line in library(tokens, True, True, False).encode_batch(texts, add_special_tokens=False)
    ]
    assert with_tokens(*tokens)(texts).to_list() == expected


def test_the_usual_special_tokens_stay_text():
    mask = added("[MASK]", TOKENS.index("[MASK]"), special=True, normalized=False)
    plain = WordPieceTokenizer(text.Vocabulary(tuple(TOKENS)))
    assert with_tokens(mask)(["a [MASK]"]).to_list() == plain(["a [MASK]"]).to_list()
    assert with_tokens(mask).settings == plain.settings


def test_words_of_tagged_sentences_may_be_added_tokens():
    tokenizer = with_tokens(added("<e>"))
    number = len(TOKENS)
    ab = TOKENS.index("ab")
    assert tokenizer.of_words(["<e>", "ab<E>", "ab"]).to_list() == [[number], [ab, number], [ab]]


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (
            added("new", len(TOKENS) + 1),
            f"'new' is expected to have the id {len(TOKENS)}, the next",
        ),
        (added("ab", 3), "'ab' is expected to have the id .*, its place in the vocabulary, but"),
        (added("[CLS]", 9), r"'\[CLS\]' is expected to have the id 2"),
        (added("\u200d"), "cannot be matched: nothing is left of it after normalization"),
    ],
)
def test_tokens_that_cannot_be(token, message):
    with pytest.raises(ValueError, match=message):
        with_tokens(token)


def test_they_are_stored_with_the_tokenizer(tmp_path):
    tokens = (added("[URL]", rstrip=True), added("the", TOKENS.index("the"), single_word=True))
    tokenizer = with_tokens(*tokens, do_lower_case=False)
    text.save_tokenizer(tokenizer, tmp_path)
    assert (tmp_path / "vocab.txt").read_text(encoding="utf-8").splitlines() == TOKENS
    found = text.load_tokenizer(tmp_path)
    assert found.settings == tokenizer.settings
    assert found.vocabulary == text.load_vocabulary(tmp_path) == tokenizer.vocabulary
    assert len(found.vocabulary) == len(TOKENS) + 1
    line = ["the [URL]  others"]
    assert found(line).to_list() == tokenizer(line).to_list()
    path = tmp_path / "tokenizer.json"
    stored = json.loads(path.read_text())
    assert stored["version"] == 2
    for wrong in ([{"content": "x"}], ["x"], [{**stored["added_tokens"][0], "lstrip": 1}], {}):
        path.write_text(json.dumps({**stored, "added_tokens": wrong}))
        with pytest.raises(ValueError, match=r"tokenizer\.json.*is expected to"):
            text.load_tokenizer(tmp_path)


@pytest.mark.slow
def test_they_are_in_a_saved_model(tmp_path):
    tokenizer = with_tokens(added("[URL]"), added("@@", len(TOKENS) + 1, normalized=False))
    module = tf.Module()
    module.tokenizer = tokenizer
    function = tf.function(
        lambda texts: {"ids": tokenizer(texts).to_tensor()},
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, tmp_path, signatures=function.get_concrete_function())
    loaded = tf.saved_model.load(tmp_path).signatures["serving_default"]
    line = tf.constant(["ab @@[url]é"])
    assert loaded(line)["ids"].numpy().tolist() == tokenizer(line).to_list()
