# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Words and tokens that are longer than tensorflow-text's FastWordpieceTokenizer takes them.

Each is replaced by a single character that no normalized text holds, so that the op gives the ids
that the reference gives.
"""

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD, encode
from electra_tf.text.vocabulary_lines import FIRST_MARK, NUM_MARKS, never_matches

MAX_BYTES_PER_WORD = 4 * MAX_CHARACTERS_PER_WORD
"""What a word of so many characters takes at most in UTF-8."""

MAX_BYTES_PER_TOKEN = 256
"""Without `##`; a limit of the op (fast_wordpiece_tokenizer_utils.h)."""

# Stands for a word that is too long: cleaning removes this character from every text, so no piece
# that contains it can be meant.
_UNKNOWN_CHARACTER = 0x7F


def without_long_words(code_points: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """Replace words of more than 200 characters by a character that no token has.

    Args:
        code_points: of texts, int32 [B, characters], words separated by spaces.

    Returns:
        The code points, and a bool vector over those given: which of them are kept or replaced,
        rather than left out.
    """
    characters, row_splits = code_points.flat_values, code_points.row_splits
    is_space = tf.cast(characters == ord(" "), tf.int32)
    # Words are numbered over all rows: a new number at each space and at each start of a row.
    row_starts = row_splits[:-1, None]
    begins = tf.tensor_scatter_nd_add(
        tf.concat([is_space, [0]], 0), row_starts, tf.ones_like(row_starts[:, 0], tf.int32)
    )[:-1]
    word_of = tf.cumsum(begins)
    num_words = tf.reduce_max(tf.concat([word_of, [0]], 0)) + 1
    lengths = tf.math.unsorted_segment_sum(1 - is_space, word_of, num_words)
    is_long = lengths > MAX_CHARACTERS_PER_WORD

    def replaced():
        in_long = tf.gather(is_long, word_of) & (is_space == 0)
        follows_same = tf.concat([[False], in_long[:-1]], 0) & (word_of == tf.roll(word_of, 1, 0))
        marked = tf.where(in_long, _UNKNOWN_CHARACTER, characters)
        return _keep(marked, ~(in_long & follows_same), row_splits)

    return tf.cond(tf.reduce_any(is_long), replaced, lambda: _all(code_points))


def is_long(token: str) -> bool:
    """Whether a token has more than 256 bytes without its `##`."""
    return len(token.removeprefix("##").encode()) > MAX_BYTES_PER_TOKEN


class LongTokens(tf.Module):
    """Puts marks in the place of the tokens of more than 256 bytes that words have.

    Which pieces are the longest depends on all before them, so words that may have such a token are
    cut by tensorflow-text's older, slower op, which has no such limit.

    Args:
        tokens: of the vocabulary, in the order of their ids.
        unknown: which of them stands for words without pieces.

    Attributes:
        marked_tokens: what stands for the long tokens in the vocabulary of the fast op, by id.
    """

    def __init__(self, tokens: Sequence[str], unknown: str):
        super().__init__()
        ids = {token: number for number, token in enumerate(tokens) if not never_matches(token)}
        long = [number for token, number in ids.items() if is_long(token)]
        if len(long) > NUM_MARKS:
            raise ValueError(
                f"A vocabulary is expected to have at most {NUM_MARKS} tokens of more than "
                f"{MAX_BYTES_PER_TOKEN} bytes, but has {len(long)}."
            )
        marks = {number: FIRST_MARK + place for place, number in enumerate(long)}
        self.marked_tokens = {
            number: "##" * tokens[number].startswith("##") + chr(mark)
            for number, mark in marks.items()
        }
        if not marks:
            return
        with tf.init_scope(), tf.device("CPU"):
            self._marks = tf.constant([marks.get(number, 0) for number in range(len(tokens))])
            ids.setdefault(unknown, len(tokens) - 1 - tokens[::-1].index(unknown))
            initializer = tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(ids)), tf.constant(list(ids.values()), tf.int64)
            )
            self._wordpiece = tf_text.WordpieceTokenizer(
                tf.lookup.StaticHashTable(initializer, default_value=-1),
                suffix_indicator="##",
                max_bytes_per_word=MAX_BYTES_PER_WORD,
                token_out_type=tf.int64,
                unknown_token=unknown,
            )

    def mark(self, code_points: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """Replace the long tokens of words of up to 200 characters; as `without_long_words`."""
        words = tf.strings.split(encode(code_points)).flat_values
        may_have_one = tf.strings.length(words) > MAX_BYTES_PER_TOKEN
        return tf.cond(
            tf.reduce_any(may_have_one),
            lambda: self._mark(code_points, words),
            lambda: _all(code_points),
        )

    def _mark(self, code_points: tf.RaggedTensor, words: tf.Tensor):
        ids, starts, ends = self._wordpiece.tokenize_with_offsets(words)  # [words, pieces]
        pieces = tf.strings.substr(
            tf.repeat(words, ids.row_lengths()), starts.flat_values, (ends - starts).flat_values
        )
        lengths = tf.strings.length(pieces, "UTF8_CHAR")
        # The pieces of all words are, one behind the other, all characters but the spaces.
        marks = tf.repeat(tf.gather(self._marks, ids.flat_values), lengths)
        begins = tf.repeat(tf.cumsum(lengths, exclusive=True), lengths)
        is_first = begins == tf.range(tf.size(begins))
        characters = code_points.flat_values
        places = tf.where(characters != ord(" "))
        marked = tf.where(marks == 0, tf.gather(characters, places[:, 0]), marks)
        return _keep(
            tf.tensor_scatter_nd_update(characters, places, marked),
            tf.tensor_scatter_nd_update(
                tf.ones_like(characters, tf.bool), places, is_first | (marks == 0)
            ),
            code_points.row_splits,
        )


def _all(code_points: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
    return code_points, tf.ones_like(code_points.flat_values, tf.bool)


def _keep(
    characters: tf.Tensor, kept: tf.Tensor, row_splits: tf.Tensor
) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """Those of the characters of texts that are kept, as `without_long_words` returns them."""
    kept_before = tf.concat([[0], tf.cumsum(tf.cast(kept, tf.int64))], 0)
    code_points = tf.RaggedTensor.from_row_splits(
        tf.boolean_mask(characters, kept), tf.gather(kept_before, row_splits), validate=False
    )
    return code_points, kept
