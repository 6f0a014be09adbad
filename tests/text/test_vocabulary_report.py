# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import pytest

from electra_tf import text
from electra_tf.text.sentencepiece_training import without_accents
from electra_tf.text.vocabulary_training import warning_of_changed_letters, without_marks

JAPANESE = "川のそばには、本を読んだりできる長いすがあります。"


@pytest.mark.parametrize(
    ("line", "share", "example"),
    [
        ("Die Mühle am Fluss ist schön", "33.3%", "mühle -> muhle, schön -> schon"),
        (JAPANESE, "100.0%", "川のそばには、本を -> 川のそはには、本を"),
        ("ที่นี่ มา ดี", "66.7%", "ดี -> ด, ที่นี่ -> ทน"),
        ("हिन्दी में लिखा", "66.7%", "में -> म, हिन्दी -> हिनदी"),
        ("Tiếng Việt nam", "66.7%", "tiếng -> tieng, việt -> viet"),
        ("das fu\u0308r dich", "33.3%", "für -> fur"),
    ],
)
def test_letters_that_are_changed(line, share, example):
    message = warning_of_changed_letters([line] * 30, without_marks)
    expected = f"letters of {share} of the words in a sample of 30 lines: {example}. --no-strip"
    assert expected in message


@pytest.mark.parametrize(
    "line", ["한국어 문장", "日本 Straße", "ABC def", "ﬁne ½ Å".replace("Å", "A")]
)
def test_letters_that_are_kept(line):
    assert warning_of_changed_letters([line], without_marks) is None


def test_a_few_foreign_words_give_no_warning():
    lines = ["the river runs to the sea and the stone walks home with one of us"] * 20
    assert warning_of_changed_letters([*lines, "le café"], without_marks) is None
    assert warning_of_changed_letters([*lines, *["le café"] * 9], without_marks)
    assert warning_of_changed_letters([], without_marks) is None


def test_sentencepiece_strips_marks_of_fewer_scripts():
    assert warning_of_changed_letters([JAPANESE], without_accents) is None
    assert "mühle -> muhle" in warning_of_changed_letters(["Die Mühle"], without_accents)


def test_wordpiece_strips_what_the_report_says():
    words = ["Mühle", "ที่นี่", "हिन्दी", "が", "Việt"]
    (kept,) = text.count_words([words[0]])
    assert kept == without_marks("mühle")
    assert set(text.count_words(words)) == {without_marks(word.lower()) for word in words}
