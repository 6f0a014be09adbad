"""Errors without a model: each kind, where they are said to be, by seed."""

import random

import pytest

from electra_tf.text import word_errors
from electra_tf.text.word_errors import KINDS, corrupted, corrupted_everywhere

TEXT = 'Ünder the bridge  they lost\ntheir way, and "there" it was quite cold.'
CASES = {
    # Kind -> text, what may become of it, the wrong words
    "confusion": (
        "He said: Their way",
        {"He said: There way": ["There"], "He said: They're way": ["They're"]},
    ),
    "dropped": ("go far away.", {"go away.": ["away."]}),
    "swapped": ("go far away", {"go away far": ["away", "far"]}),
    "typo": ("a cafè", None),
}


def wrong_words(found):
    return [found.text.encode()[start:end].decode() for start, end in found.spans]


@pytest.mark.parametrize("kind", CASES)
def test_an_error_is_where_its_span_is(kind):
    text, expected = CASES[kind]
    seen = {}
    for seed in range(40):
        found = corrupted(text, kind, random.Random(seed))
        assert found == corrupted(text, kind, random.Random(seed))
        seen[found.text] = wrong_words(found)
    if expected is None:
        expected = {text: [text.split()[1]] for text in seen}
        assert {"a cfè", "a caafè", "a cfaè", "a caè", "a caffè", "a caèf"} <= set(seen)
    assert seen == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("confusion", "一二", {"二二": ["二"], "一一": ["一"]}),
        ("inserted", "一二。", {"一一二。": ["一"]}),
        ("dropped", "一二三。", {"一三。": ["三"]}),
        ("swapped", "一二三。", {"一三二。": ["三", "二"]}),
        ("typo", "一二。", {"一二二。": ["二"]}),
        # A vowel and a tone above a letter stay with it.
        ("swapped", "กที่ดู", {"กดูที่": ["ดู", "ที่"]}),
        ("inserted", "ก ที่", {"ก กที่": ["ก"]}),
        ("dropped", "is 二三 so", {"is 三 so": ["三"]}),
    ],
)
def test_without_spaces_each_character_is_a_word(kind, text, expected):
    made = [corrupted(text, kind, random.Random(seed)) for seed in range(20)]
    assert {found.text: wrong_words(found) for found in made} == expected


def test_a_word_too_many_is_not_its_neighbour():
    for seed in range(60):
        found = corrupted("go the way", "inserted", random.Random(seed))
        (word,) = wrong_words(found)
        words = found.text.split()
        place = words.index(word) if words.count(word) == 1 else words.index(word, 1)
        assert 0 < place < 3 and word not in (words[place - 1], words[place + 1])
        assert [w for i, w in enumerate(words) if i != place] == ["go", "the", "way"]


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_are_counted_and_white_space_stays(kind):
    for seed in range(30):
        found = corrupted(TEXT, kind, random.Random(seed))
        assert found.text != TEXT and found.text.startswith(TEXT[0])
        words = found.text.split()
        assert wrong_words(found) and all(word in words for word in wrong_words(found))
        assert found.text.count("\n") + found.text.count("  ") >= 1


def test_many_errors_are_as_many_as_asked_and_apart():
    text = " ".join(f"word{number} there" for number in range(2000))
    rng = random.Random(3)
    found = corrupted_everywhere(text, 0.05, rng)
    assert 4000 * 0.04 < len(found.spans) < 4000 * 0.08
    assert len(set(found.spans)) == len(found.spans) and list(found.spans) == sorted(found.spans)
    confused = sum(word in ("their", "they're") for word in wrong_words(found))
    assert 0.12 < confused / len(found.spans) < 0.25  # a fifth of the errors, some of two words
    assert corrupted_everywhere(text, 0.0, rng) == (text, ())
    most = corrupted_everywhere(text, 1.0, random.Random(3))
    assert 4000 / 4 < len(most.spans) < 4000 * 2 / 3
    assert all(" " not in word for word in wrong_words(most))


@pytest.mark.parametrize("text", ["", " \n", "??", "語", "Oh"])
def test_a_text_without_a_place_stays(text):
    for kind in KINDS:
        assert corrupted(text, kind, random.Random(0)) == (text, ())
    assert corrupted_everywhere(text, 1.0, random.Random(0)) == (text, ())


def test_an_unknown_kind_is_named():
    with pytest.raises(
        ValueError, match=r"confusion, inserted, dropped, swapped, typo.*'spelling'"
    ):
        corrupted("a b", "spelling", random.Random(0))


def test_confusions_are_each_other():
    for group in word_errors.CONFUSIONS:
        assert len(set(group.split())) == len(group.split()) >= 2, group
