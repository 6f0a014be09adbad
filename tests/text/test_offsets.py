# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Offsets of tokens are bytes of the original string, whatever normalization did to it."""

from electra_tf.text import normalization


def sliced(line, start, end):
    return line.encode()[start:end]


def words_by_token(ids, starts, ends, vocabulary):
    """Yields (ids, start, end) of each word: a token and the ## pieces that follow it."""
    word = None
    for token, start, end in zip(ids, starts, ends, strict=True):
        if vocabulary.token_of(token).startswith("##"):
            word = ([*word[0], token], word[1], end)
        else:
            if word:
                yield word
            word = ([token], start, end)
    if word:
        yield word


def test_ids_are_those_of_the_call(tokenizer, setting, goldens):
    assert tokenizer.offsets(goldens["lines"]).ids.to_list() == goldens[setting]


def test_offsets_rise_and_stay_inside(tokenizer, goldens):
    _, starts, ends = tokenizer.offsets(goldens["lines"])
    for line, row_starts, row_ends in zip(
        goldens["lines"], starts.to_list(), ends.to_list(), strict=True
    ):
        assert row_starts == sorted(row_starts)
        assert row_ends == sorted(row_ends)
        assert all(a < b for a, b in zip(row_starts, row_ends, strict=True))
        assert all(0 <= start < len(line.encode()) for start in row_starts)
        assert all(end <= len(line.encode()) for end in row_ends)


def test_the_bytes_of_a_word_give_its_ids(tokenizer, goldens):
    slices, expected = [], []
    rows = (part.to_list() for part in tokenizer.offsets(goldens["lines"]))
    for line, ids, starts, ends in zip(goldens["lines"], *rows, strict=True):
        for word_ids, start, end in words_by_token(ids, starts, ends, tokenizer.vocabulary):
            slices.append(sliced(line, start, end))
            expected.append(word_ids)
    assert len(slices) > 5000
    found = tokenizer(slices).to_list()
    assert [s for s, a, b in zip(slices, found, expected, strict=True) if a != b] == []


def test_the_bytes_of_a_piece_hold_its_text(tokenizer, goldens):
    slices, pieces = [], []
    rows = (part.to_list() for part in tokenizer.offsets(goldens["lines"]))
    for line, ids, starts, ends in zip(goldens["lines"], *rows, strict=True):
        for token, start, end in zip(ids, starts, ends, strict=True):
            if token != tokenizer.vocabulary.unk_id:
                slices.append(sliced(line, start, end))
                pieces.append(tokenizer.vocabulary.token_of(token).removeprefix("##"))
    normalized = [b"".join(words).decode() for words in tokenizer.words(slices).to_list()]
    # Alone, no sigma is at the end of a longer word.
    plain = [text.replace("ς", "σ") for text in normalized]
    assert all(p.replace("ς", "σ") in n for p, n in zip(pieces, plain, strict=True))


def test_accents_and_removed_characters_belong_to_the_token_before(uncased):
    line = "Cafe\u0301s, na\u200bïve!"
    ids, starts, ends = (part.to_list()[0] for part in uncased.offsets([line]))
    tokens = [uncased.vocabulary.token_of(i) for i in ids]
    slices = [sliced(line, a, b).decode() for a, b in zip(starts, ends, strict=True)]
    assert dict(zip(tokens, slices, strict=True)) == {
        "cafes": "Cafe\u0301s",
        ",": ",",
        "naive": "na\u200bïve",
        "!": "!",
    }


def test_pieces_of_one_character_share_its_bytes(uncased):
    ids, starts, ends = (part.to_list()[0] for part in uncased.offsets(["x 한"]))
    assert [uncased.vocabulary.token_of(i) for i in ids] == ["x", "ᄒ", "##ᅡ", "##ᆫ"]
    assert (starts, ends) == ([0, 2, 2, 2], [1, 5, 5, 5])


def test_a_word_that_is_too_long_is_one_token(uncased):
    long = "é" * (normalization.MAX_CHARACTERS_PER_WORD + 1)
    ids, starts, ends = (part.to_list()[0] for part in uncased.offsets([f"a {long}, b"]))
    assert ids[1] == uncased.vocabulary.unk_id
    assert (starts, ends) == ([0, 2, 404, 406], [1, 404, 405, 407])
