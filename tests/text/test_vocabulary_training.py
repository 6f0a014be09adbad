# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import pytest

from electra_tf import text

LINES = ["Hugging, hugs and hugged: the hugger hugs a pug!", "Café au lait; the café.", ""] * 20
SPECIAL = list(text.SPECIAL_TOKENS)


def test_special_tokens_then_characters_then_pieces():
    tokens = text.train_wordpiece_vocabulary(LINES, 100)
    assert tokens[:5] == SPECIAL
    characters = [token for token in tokens[5:] if len(token.removeprefix("##")) == 1]
    assert characters == tokens[5 : 5 + len(characters)]
    initial = [token for token in characters if not token.startswith("##")]
    inner = [token for token in characters if token.startswith("##")]
    assert characters == sorted(initial) + sorted(inner)
    assert {"the", "cafe", "hugs"} <= set(tokens)
    assert len(set(tokens)) == len(tokens) <= 100


def test_every_word_can_be_written(tmp_path):
    text.save_vocabulary(text.train_wordpiece_vocabulary(LINES, 50), tmp_path / "vocab.txt")
    tokenizer = text.load_tokenizer(tmp_path)
    ids = tokenizer(LINES).flat_values.numpy()
    assert len(tokenizer.vocabulary) == 50
    assert tokenizer.vocabulary.unk_id not in ids


def test_the_order_of_texts_does_not_matter():
    assert text.train_wordpiece_vocabulary(LINES, 80) == text.train_wordpiece_vocabulary(
        sorted(LINES), 80
    )


def test_bytes_and_iterators_are_texts_too():
    lines = iter([line.encode() for line in LINES])
    assert text.train_wordpiece_vocabulary(lines, 80) == text.train_wordpiece_vocabulary(LINES, 80)


def test_case_and_accents_as_the_tokenizer_sees_them():
    assert text.count_words(["Café CAFÉ."]) == {"cafe": 2, ".": 1}
    assert text.count_words(["Café CAFÉ."], strip_accents=False) == {"café": 2, ".": 1}
    assert text.count_words(["Café CAFÉ."], do_lower_case=False) == {"Café": 1, "CAFÉ": 1, ".": 1}


def test_pieces_below_the_minimum_frequency_are_not_learned():
    counts = {"ab": 5, "cd": 4}
    assert text.wordpieces_from_counts(counts, 50, min_frequency=5)[5:] == [
        *("a", "b", "c", "d"),
        *("##b", "##d"),
        "ab",
    ]


def test_rare_characters_are_left_out():
    tokens = text.wordpieces_from_counts({"aab": 5, "az": 1, "é": 3}, 50, limit_alphabet=2)
    assert tokens[5:] == ["a", "b", "##a", "##b", "aa", "aab"]


def test_characters_up_to_a_share_of_the_text():
    counts = {"aab": 5, "az": 4, "é": 1, "a": 1}  # 15 a, 5 b, 4 z, 1 é
    for coverage, kept in [(1, "abzé"), (0.95, "abz"), (0.7, "ab"), (0.5, "a")]:
        tokens = text.wordpieces_from_counts(counts, 50, 99, character_coverage=coverage)
        assert "".join(t for t in tokens[5:] if len(t) == 1) == kept


def test_reserved_tokens_stand_behind_the_special_ones():
    tokens = text.wordpieces_from_counts({"ab": 5}, 50, num_unused=2)
    assert tokens == [*SPECIAL, "[unused0]", "[unused1]", "a", "b", "##b", "ab"]


def test_words_that_are_never_cut_are_not_learned_from():
    counts = {"a" * 201: 9, "b": 1}
    assert text.wordpieces_from_counts(counts, 50) == [*SPECIAL, "b"]


@pytest.mark.parametrize(("letters", "length"), [("กขคงจฉชซฌ", 117), ("ខគឃងចឆជ", 90), ("𝒳𝒴𝒵", 70)])
def test_no_token_has_more_than_256_bytes(letters, length):
    """Whatever a footer repeats; as many tokens as asked for come back nevertheless."""
    footer = "".join(letters[place**3 % 11 % len(letters)] for place in range(length))
    counts = {footer: 50, footer[::-1]: 40, **{letter * 2: 9 for letter in letters}}
    all_tokens = text.wordpieces_from_counts(counts, 10_000)
    assert 100 < max(len(token.removeprefix("##").encode()) for token in all_tokens) <= 256
    for size in (len(all_tokens) - 1, len(all_tokens) - 5):
        assert text.wordpieces_from_counts(counts, size) == all_tokens[:size]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 100), "hold no words"),
        ((["", "\u200b"], 100), "hold no words"),
        ((LINES, 20), "vocab_size is expected to be at least [34][0-9] .*, but is 20"),
        ((LINES, 100, True, True, 0), "min_frequency is expected to be at least 1, but is 0"),
        ((LINES, 100, True, True, 2, -1), "limit_alphabet is expected to be at least 1, but is -1"),
        (
            (LINES, 100, True, True, 2, 99, 2.0),
            "character_coverage .* above 0 and at most 1",
        ),
        ((LINES, 20, True, True, 2, 99, 1.0), "a smaller character_coverage than 1.0 lowers"),
        (
            (LINES, 100, True, True, 2, 99, None, -1),
            "num_unused .* at least 0, but is -1",
        ),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        text.train_wordpiece_vocabulary(*arguments)


@pytest.mark.parametrize(("texts", "number"), [(["MK" * 101] * 3, 1), (["A" * 201, "C" * 300], 2)])
def test_words_that_are_all_too_long_are_named_as_the_reason(texts, number):
    with pytest.raises(
        ValueError,
        match=f"no words to train.* more than 200 characters are left out: {number} of {number} ",
    ):
        text.train_wordpiece_vocabulary(texts, 100)
