# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from electra_tf import text
from electra_tf.text.tokenizer import UnknownTokens

SPECIAL = list(text.SPECIAL_TOKENS)
KOREAN = ["한국어", "문장", "입니다"]
CHINESE = "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少"
PROTEIN = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ" * 7


def counted(tokens, lines, lower=True, strip=True):
    tokenizer = text.WordPieceTokenizer(text.Vocabulary((*SPECIAL, *tokens)), lower, strip)
    return UnknownTokens.among(tokenizer(lines).flat_values.numpy(), tokenizer.vocabulary)


def letters(word):
    return [part for letter in sorted(set(word)) for part in (letter, f"##{letter}")]


@pytest.mark.parametrize(
    ("tokens", "lines", "unknown"),
    [
        (KOREAN, [" ".join(KOREAN)] * 2, UnknownTokens(6, 6)),  # as jamo they are not there
        (letters(PROTEIN.lower()), [PROTEIN[:200], PROTEIN[:201]], UnknownTokens(1, 201)),
        (["the", "of"], ["the Straße of Köln", "привет"], UnknownTokens(3, 5)),
        (["a", "##b"], ["ab", "👍 👍", ""], UnknownTokens(2, 4)),
    ],
)
def test_counts(tokens, lines, unknown):
    assert counted(tokens, lines) == unknown


def test_text_that_fits_the_settings_is_known():
    assert counted(KOREAN, [" ".join(KOREAN)], False, False) == UnknownTokens(0, 3)


def test_chinese_with_few_characters():
    tokens = text.train_wordpiece_vocabulary([CHINESE], 100, limit_alphabet=5)
    assert counted(tokens[5:], [CHINESE]) == UnknownTokens(14, 20)


def test_padding_beginnings_and_ends_are_not_counted():
    vocabulary = text.Vocabulary((*SPECIAL, "a"))
    rows = np.array([[2, 5, 1, 3, 0, 0], [2, 1, 3, 5, 4, 3]])
    assert UnknownTokens.among(rows, vocabulary) == UnknownTokens(2, 5)
    assert UnknownTokens.among(np.zeros([0, 6], np.int32), vocabulary) == UnknownTokens()


def test_a_high_share_is_a_warning(caplog):
    few, many = UnknownTokens(5, 100), UnknownTokens(1, 19)
    assert str(few) == "5 of 100 tokens are unknown (5.0%)"
    assert few + many == UnknownTokens(6, 119)
    UnknownTokens().log("nothing")
    few.log("few")
    many.log("many")
    (message,) = (r.getMessage() for r in caplog.records if r.levelname == "WARNING")
    assert message.startswith("many: 1 of 19 tokens are unknown (5.3%). What they stand for is")
