# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""BERT's tokenization stated in plain Python, one character at a time; slow, and meant to be read.

It takes Python's own Unicode tables, which are those of the package for Python 3.11.
"""

import unicodedata

from electra_tf.text import character_table


def tokenize(line, ids_of_pieces, do_lower_case, strip_accents):
    """Returns the ids of a line given as bytes."""
    words = basic_words(line.decode("utf-8", errors="replace"), do_lower_case, strip_accents)
    return [piece for word in words for piece in pieces(word, ids_of_pieces)]


def basic_words(text, do_lower_case, strip_accents, split_ideographs=True):
    spaced = "".join(clean(character) for character in text)
    if split_ideographs:
        spaced = "".join(f" {c} " if is_ideograph(c) else c for c in spaced)
    words = []
    for word in spaced.split():
        if do_lower_case:
            word = word.lower()
            if strip_accents:
                decomposed = unicodedata.normalize("NFD", word)
                word = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
        words += "".join(f" {c} " if is_punctuation(c) else c for c in word).split()
    return words


def clean(character):
    category = unicodedata.category(character)
    if character in "\t\n\r" or category == "Zs":
        return " "
    return "" if category.startswith("C") or character == "\ufffd" else character


def is_ideograph(character):
    return any(first <= ord(character) <= last for first, last in character_table.CJK_RANGES)


def is_punctuation(character):
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character).startswith("P")


def pieces(word, ids_of_pieces):
    """Returns the ids of the longest pieces from left to right, or that of [UNK]."""
    found = []
    start = 0
    while start < len(word) <= 200:
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((e for e in ends if prefix + word[start:e] in ids_of_pieces), None)
        if end is None:
            return [ids_of_pieces["[UNK]"]]
        found.append(ids_of_pieces[prefix + word[start:end]])
        start = end
    return found or [ids_of_pieces["[UNK]"]]
