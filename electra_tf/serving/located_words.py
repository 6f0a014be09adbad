# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The words of texts in which errors are looked for, and the tokens of each.

A word is what white space separates. Where a script has no spaces between words (Chinese, Japanese,
Thai, ...) each token is a word, unless the tokenizer takes texts that are split into words already.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf.serving.located import tokens_of
from electra_tf.serving.tagged_text import Words, words_of
from electra_tf.text import Tokenizer, TokensWithOffsets, Vocabulary
from electra_tf.text.character_table import UNSPACED
from electra_tf.text.ragged import row_numbers
from electra_tf.text.vocabulary import WORD_START, WORDPIECE

_NO_TEXT = re.compile(r"\[unused\d+\]|<0x[0-9A-F]{2}>")
"""Tokens that are kept for later, and bytes of characters that a vocabulary does not have."""
_UNSPACED_TOKEN = f"(?s).*[{UNSPACED}].*"
_BEGINS_WITH_MARK = r"(?s)\p{M}.*"


class Pieces(NamedTuple):
    """What the tokens of a vocabulary are as parts of words, [V] each."""

    names: np.ndarray
    """bytes, without what says that they begin or continue a word."""
    begins: np.ndarray
    """bool, whether a word may begin with it."""
    is_mark: np.ndarray
    """bool, whether it is punctuation and symbols alone."""
    is_blank: np.ndarray
    """bool, whether it is the space before a word and nothing else."""
    is_text: np.ndarray
    """bool, whether it is neither special nor empty nor a byte of a character."""
    other_form: np.ndarray
    """int32, the token that begins a word if it continues one with the same name, and vice versa;
    V if there is none."""

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "Pieces":
        special = set(vocabulary.special.all)
        names, begins, is_text = [], [], []
        for token in vocabulary.tokens:
            if vocabulary.kind == WORDPIECE:
                name = token.removeprefix("##")
                begins.append(name == token or token in special)
            else:
                name = token.removeprefix(WORD_START)
                begins.append(name != token or token in special)
            is_text.append(bool(name) and token not in special and not _NO_TEXT.fullmatch(token))
            names.append(name)
        is_mark = [
            bool(name) and all(unicodedata.category(c)[0] in "PS" for c in name)
            for name, is_some in zip(names, is_text, strict=True)
        ]
        forms = {form: number for number, form in enumerate(zip(names, begins, strict=True))}
        others = [forms.get((n, not b), len(names)) for n, b in zip(names, begins, strict=True)]
        encoded = np.array([name.encode() for name in names], object)
        is_mark = np.array(is_mark) & is_text
        is_blank = encoded == b""
        columns = (np.array(begins), is_mark, is_blank, np.array(is_text))
        return cls(encoded, *columns, np.array(others, np.int32))


class Core(NamedTuple):
    """The letters of words, without the marks before and behind them; [P] each.

    A word of marks alone is its own core.
    """

    rows: tf.Tensor
    """The texts."""
    first: tf.Tensor
    """The first token of the core among those of all texts."""
    last: tf.Tensor
    starts: tf.Tensor
    """Bytes of the text."""
    ends: tf.Tensor
    begins: tf.Tensor
    """Whether its first token begins a word; behind a mark it may continue one."""
    is_unspaced: tf.Tensor
    """Whether it is in a script without spaces, so that it may continue one, too."""
    is_mark: tf.Tensor


class LocatedWords(NamedTuple):
    """Words of texts, and the tokens of each.

    words: those of which all tokens are there. rows: int64, the texts that they are in.
    tokens: ragged [B, T], as many as fit into a row.
    word_of: int64 [tokens of all texts], the word among those of all texts, -1 for none.
    is_unspaced: bool [tokens of all texts], whether it has characters of a script without spaces.
    is_truncated: bool [B].
    """

    words: Words
    rows: tf.Tensor
    tokens: TokensWithOffsets
    word_of: tf.Tensor
    is_unspaced: tf.Tensor
    is_truncated: tf.Tensor

    @property
    def count(self) -> tf.Tensor:
        """The number of words of all texts."""
        return tf.size(self.words.starts.flat_values)

    def has_token(self, token_id: int) -> tf.Tensor:
        """Whether each word of all texts has this token, bool."""
        is_it = tf.cast(self.tokens.ids.flat_values == token_id, tf.int32)
        return tf.math.unsorted_segment_max(is_it, self.word_of, self.count) > 0

    def core(self, pieces: Pieces, words: tf.Tensor) -> Core:
        """The cores of words int64 [P]."""
        ids = self.tokens.ids.flat_values
        is_around = tf.gather(pieces.is_mark | pieces.is_blank, ids)
        places = tf.range(tf.size(ids, tf.int64))
        bounds = []
        for segments in (tf.where(~is_around, self.word_of, -1), self.word_of):
            first = tf.math.unsorted_segment_min(places, segments, self.count)
            last = tf.math.unsorted_segment_max(places, segments, self.count)
            bounds.append((tf.gather(first, words), tf.gather(last, words)))
        has_letters = bounds[0][1] >= 0  # the largest of none is the lowest number
        first, last = (tf.where(has_letters, a, b) for a, b in zip(*bounds, strict=True))
        return Core(
            tf.gather(self.rows, words),
            first,
            last,
            tf.gather(self.tokens.starts.flat_values, first),
            tf.gather(self.tokens.ends.flat_values, last),
            tf.gather(pieces.begins, tf.gather(ids, first)),
            tf.gather(self.is_unspaced, first),
            ~has_letters,
        )


def located_words(tokenizer: Tokenizer, text: tf.Tensor, room: int) -> LocatedWords:
    """Words of texts [B], as far as their tokens fit into the room of a row."""
    tokens, words = tokens_of(tokenizer, text), words_of(text)
    is_unspaced = tokens.starts.with_flat_values(_are_unspaced(text, tokens))
    if not tokenizer.pre_split:
        words = _split_at_tokens(text, words, tokens, is_unspaced.flat_values)
    lengths = tokens.ids.row_lengths()
    kept = tf.minimum(lengths, room)
    # The byte of the first token that is cut.
    padded = tf.concat([tokens.starts.flat_values, [tf.int32.max]], 0)
    none = tf.fill(tf.shape(kept), tf.size(padded, tf.int64) - 1)
    firsts = tf.where(lengths > kept, tokens.ids.row_starts() + kept, none)
    rows = row_numbers(words.starts.row_splits)
    is_whole = words.ends.flat_values <= tf.gather(tf.gather(padded, firsts), rows)
    count = tf.shape(text, tf.int64)[0]
    num_words = tf.math.unsorted_segment_sum(tf.cast(is_whole, tf.int64), rows, count)
    words = Words(*_beginnings(words, num_words))
    *tokens, is_unspaced = _beginnings((*tokens, is_unspaced), kept)
    tokens = TokensWithOffsets(*tokens)
    rows = row_numbers(words.starts.row_splits)
    word_of = _words_of_tokens(text, words, rows, tokens)
    return LocatedWords(words, rows, tokens, word_of, is_unspaced.flat_values, lengths > kept)


def _parts_of(text: tf.Tensor, rows: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """The bytes from starts to ends of the texts that rows number."""
    return tf.strings.substr(tf.gather(text, rows), starts, ends - starts)


def _are_unspaced(text: tf.Tensor, tokens: TokensWithOffsets) -> tf.Tensor:
    """Whether each token of all texts has characters of a script without spaces."""
    rows = row_numbers(tokens.starts.row_splits)
    parts = _parts_of(text, rows, tokens.starts.flat_values, tokens.ends.flat_values)
    return tf.strings.regex_full_match(parts, _UNSPACED_TOKEN)


def _split_at_tokens(
    text: tf.Tensor, words: Words, tokens: TokensWithOffsets, is_unspaced: tf.Tensor
) -> Words:
    """Words that white space separates, split before and behind each token without spaces.

    "ab日本c" has ab, 日, 本, c if these are its tokens. Combining marks stay with what is before
    them, and a character of several tokens stays whole.
    """
    starts, ends = tokens.starts.flat_values, tokens.ends.flat_values
    rows = row_numbers(tokens.starts.row_splits)
    is_mark = tf.strings.regex_full_match(_parts_of(text, rows, starts, ends), _BEGINS_WITH_MARK)
    is_cut = (is_unspaced[1:] | is_unspaced[:-1]) & ~is_mark[1:] & (starts[1:] >= ends[:-1])
    is_cut = tf.concat([[False], is_cut & (rows[1:] == rows[:-1])], 0)[: tf.size(rows)]
    cuts = _places(text, tf.boolean_mask(rows, is_cut), tf.boolean_mask(starts, is_cut))

    word_rows = row_numbers(words.starts.row_splits)
    firsts = _places(text, word_rows, words.starts.flat_values)
    ends = _places(text, word_rows, words.ends.flat_values)
    word = tf.searchsorted(firsts, cuts, "right", out_type=tf.int64) - 1
    is_inside = cuts < tf.gather(tf.concat([[0], ends], 0), word + 1)
    begins = tf.unique(tf.sort(tf.concat([firsts, tf.boolean_mask(cuts, is_inside)], 0))).y
    word = tf.searchsorted(firsts, begins, "right", out_type=tf.int64) - 1
    ends = tf.minimum(tf.gather(ends, word), tf.concat([begins[1:], [tf.int64.max]], 0))
    rows = tf.gather(word_rows, word)
    starts, ends = (tf.cast(place - _places(text, rows, 0), tf.int32) for place in (begins, ends))
    texts = _parts_of(text, rows, starts, ends)
    count = tf.shape(text, tf.int64)[0]
    columns = (texts, starts, ends)
    return Words(
        *(tf.RaggedTensor.from_value_rowids(c, rows, count, validate=False) for c in columns)
    )


def _places(text: tf.Tensor, rows: tf.Tensor, offsets: tf.Tensor | int) -> tf.Tensor:
    """Bytes of texts as places in all texts, one behind the other, int64."""
    width = tf.cast(tf.reduce_max(tf.strings.length(text)), tf.int64) + 1
    return rows * width + tf.cast(offsets, tf.int64)


def _beginnings(
    columns: tuple[tf.RaggedTensor, ...], counts: tf.Tensor
) -> Iterator[tf.RaggedTensor]:
    """The first counts[i] values of row i of columns alike; no row is shorter."""
    splits = tf.concat([[0], tf.cumsum(counts)], 0)
    within = tf.range(splits[-1]) - tf.gather(splits, rows := row_numbers(splits))
    places = tf.gather(columns[0].row_splits, rows) + within
    for column in columns:
        values = tf.gather(column.flat_values, places)
        yield tf.RaggedTensor.from_row_splits(values, splits, validate=False)


def _words_of_tokens(
    text: tf.Tensor, words: Words, rows: tf.Tensor, tokens: TokensWithOffsets
) -> tf.Tensor:
    """The word that the last byte of each token is in, int64 [tokens], -1 for none."""
    starts = _places(text, rows, words.starts.flat_values)
    ends = _places(text, rows, words.ends.flat_values)
    lasts = tf.maximum(tokens.ends.flat_values - 1, tokens.starts.flat_values)
    lasts = _places(text, row_numbers(tokens.starts.row_splits), lasts)
    word = tf.searchsorted(starts, lasts, "right", out_type=tf.int64) - 1
    is_inside = lasts < tf.gather(tf.concat([[0], ends], 0), word + 1)
    return tf.where(is_inside, word, -1)
