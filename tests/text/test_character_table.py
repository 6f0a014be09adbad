# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The frozen ranges are Unicode 14.0's, and the table states what BERT does with a character."""

import unicodedata

import bert_rules
import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf.text import character_table

ALL = range(0x110000)
# Code points on which a newer Python may differ: it knows characters that were unassigned in 14.0,
# and a few properties were corrected since.
ALLOWED = 0 if unicodedata.unidata_version == "14.0.0" else 500


def assigned(code_points):
    return {c for c in code_points if c not in character_table.code_points_of("CONTROL")}


@pytest.mark.parametrize(
    ("name", "categories"),
    [
        ("CONTROL", ("Cc", "Cf", "Cs", "Co", "Cn")),
        ("SEPARATOR", ("Zs", "Zl", "Zp")),
        ("PUNCTUATION", ("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po")),
        ("NONSPACING_MARK", ("Mn",)),
    ],
)
def test_classes_are_those_of_unicodedata(name, categories):
    frozen = character_table.code_points_of(name)
    current = {c for c in ALL if unicodedata.category(chr(c)) in categories}
    if name == "CONTROL":
        assert len(current - frozen) <= ALLOWED  # what is assigned stays assigned
    else:
        assert len(frozen ^ assigned(current)) <= ALLOWED


def test_lower_case_is_that_of_python():
    mapping = character_table.lower_case_mapping()
    differing = [
        c
        for c in assigned(ALL)
        if "".join(map(chr, mapping.get(c, (c,)))) != chr(c).lower() and chr(c) != "Σ"
    ]
    assert len(differing) <= ALLOWED
    assert mapping[ord("Σ")] == (ord("σ"),)


def test_sigma_classes_are_those_of_python():
    cased = character_table.code_points_of("CASED")
    ignorable = character_table.code_points_of("CASE_IGNORABLE")
    differing = [
        c
        for c in assigned(ALL)
        if (("aΣ" + chr(c)).lower()[1] == "σ") != (c in cased)
        or (("aΣ" + chr(c) + "b").lower()[1] == "σ") != (c in cased or c in ignorable)
    ]
    assert len(differing) <= ALLOWED


@pytest.mark.parametrize("switches", [(True, True), (True, False), (False, False)])
def test_single_characters_as_in_plain_python(switches):
    table = character_table.character_table(*switches)
    rows = zip(table.row_splits[:-1], table.row_splits[1:], strict=True)
    found = ["".join(map(chr, table.code_points[a:b])).split() for a, b in rows]
    found = found[: character_table.DENSE_END]
    differing = [
        c
        for c in assigned(range(len(found)))
        if found[c] != bert_rules.basic_words(chr(c), *switches)
    ]
    assert len(differing) <= ALLOWED
    removed = character_table.code_points_of("CONTROL").intersection(range(len(found)))
    assert all(found[c] == [] for c in removed)


def test_what_lies_outside_of_the_table_is_removed_or_in_the_supplement():
    supplement = range(character_table.SUPPLEMENT_START, character_table.SUPPLEMENT_END)
    outside = assigned(range(character_table.DENSE_END, 0x110000))
    assert outside == set(supplement)
    assert outside <= character_table.code_points_of("NONSPACING_MARK")


def test_ideographs_and_punctuation_stay_what_they_are_when_normalized():
    # The table splits after normalization; the reference splits at ideographs before it.
    for c in assigned(ALL):
        normalized = unicodedata.normalize("NFD", chr(c).lower())
        if any(bert_rules.is_ideograph(part) for part in normalized):
            assert bert_rules.is_ideograph(chr(c)) and len(normalized) == 1


def test_the_wordpiece_op_splits_at_the_same_characters():
    # It splits with its own Unicode tables behind ours; for no character may they differ.
    op = tf_text.FastWordpieceTokenizer(["[UNK]", "q", "##q"], token_out_type=tf.int32)
    code_points = sorted(assigned(ALL) - {ord("q")})
    counts = op.tokenize([f"q{chr(c)}q" for c in code_points]).row_lengths().numpy()

    def expected(c):
        if c in character_table.code_points_of("SEPARATOR"):
            return 2
        return 3 if character_table.is_punctuation(c) or character_table.is_cjk(c) else 1

    assert [hex(c) for c, n in zip(code_points, counts, strict=True) if n != expected(c)] == []
