# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tokens of single words, as the reference cuts them for tagging.

There a word is split at punctuation but not at ideographs (tagging_tasks.py:228-250): 日本 becomes
日 ##本, while in running text, and in pre-training, it becomes 日 本.
"""

import itertools
import re

import numpy as np
import tensorflow as tf

from electra_tf.text.character_table import CJK_RANGES, is_punctuation
from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD

_IDEOGRAPH = re.compile("[" + "".join(f"{chr(a)}-{chr(b)}" for a, b in CJK_RANGES) + "]")


def tokenize_words(words, tokenizer):
    """Returns the ids of each word by itself, a RaggedTensor int32 [words, tokens]."""
    ids = tokenizer(words)
    exceptions = [row for row, word in enumerate(words) if _IDEOGRAPH.search(word)]
    if not exceptions:
        return ids
    ids_of = {token: number for number, token in enumerate(tokenizer.vocabulary.tokens)}
    rows = ids.to_list()
    unknown = tokenizer.vocabulary.unk_id
    parts = [(row, part) for row in exceptions for part in words[row].split()]
    for row in exceptions:
        rows[row] = []
    split = tokenizer.words([part for _, part in parts]).to_list()
    for (row, _), pieces in zip(parts, split, strict=True):
        for word in _joined(piece.decode() for piece in pieces):
            rows[row] += _word_pieces(word, ids_of, unknown)
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    values = np.fromiter(itertools.chain.from_iterable(rows), np.int32, lengths.sum())
    return tf.RaggedTensor.from_row_lengths(values, lengths)


def _joined(pieces):
    """Joins what was split at ideographs: pieces that are no punctuation and are neighbours."""
    words, is_open = [], False
    for piece in pieces:
        separate = is_punctuation(ord(piece[0]))
        if is_open and not separate:
            words[-1] += piece
        else:
            words.append(piece)
        is_open = not separate
    return words


def _word_pieces(word, ids_of, unknown):
    """Returns the ids of the longest pieces from the left, or unknown if they do not fit."""
    if len(word) > MAX_CHARACTERS_PER_WORD:
        return [unknown]
    ids, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        end = next(
            (end for end in range(len(word), start, -1) if prefix + word[start:end] in ids_of), None
        )
        if end is None:
            return [unknown]
        ids.append(ids_of[prefix + word[start:end]])
        start = end
    return ids
