# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""BERT's basic tokenization in tensor ops: from strings to words separated by spaces.

Lines of plain ASCII need nothing but lower-casing. All others are taken apart into code points,
looked up in the `character_table`, and put together again; that also says where each resulting
character came from.
"""

import typing
from collections.abc import Callable

import tensorflow as tf

from electra_tf.text import character_table
from electra_tf.text.ragged import row_numbers

# Longer words become [UNK] (tokenization.py:221).
MAX_CHARACTERS_PER_WORD = 200

# Printable ASCII and white space, without a word that is too long. Everything but letters and
# digits ends a word.
_PLAIN_LINE = r"(?:[0-9A-Za-z]{0,200}[\t\n\r !-/:-@\[-`{-~])*[0-9A-Za-z]{0,200}"
_PLAIN_PUNCTUATION = r"([!-/:-@\[-`{-~])"
# The same where nothing but white space ends a word.
_PLAIN_LINE_OF_WORDS = r"(?:[!-~]{0,200}[\t-\r ])*[!-~]{0,200}"
_CAPITAL_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C2


class Expansion(typing.NamedTuple):
    """Normalized texts as code points, and where they came from.

    code_points: int32 ragged [B, characters]; spaces separate words, punctuation and ideographs.
    sources: int64 [characters of all rows]; for each of them the index into `starts` and `ends`.
    starts, ends: int64 [source characters of all rows]; byte offsets in the character's own row.
    """

    code_points: tf.RaggedTensor
    sources: tf.Tensor
    starts: tf.Tensor
    ends: tf.Tensor


class BasicNormalizer(tf.Module):
    """Cleans, lower-cases, strips accents and separates words as the reference's BasicTokenizer.

    Equal to it (with Python 3.11's Unicode 14.0) for every character, in any locale. Bytes that are
    not UTF-8 are taken for U+FFFD, which is removed. One deviation: where stripping accents leaves
    a run of several spacing marks with combining classes (as in musical notation), the run keeps
    its order instead of the canonical one.

    split_ideographs, split_punctuation, clean: see `character_table`; without all three a word is
    what white space ends, as it stands in the text.
    """

    def __init__(
        self,
        do_lower_case: bool,
        strip_accents: bool,
        split_ideographs: bool = True,
        split_punctuation: bool = True,
        clean: bool = True,
    ):
        super().__init__()
        self.do_lower_case = do_lower_case
        self._split_punctuation, self._clean = split_punctuation, clean
        self._plain_line = _PLAIN_LINE if split_punctuation else _PLAIN_LINE_OF_WORDS
        table = character_table.character_table(
            do_lower_case, strip_accents, split_ideographs, split_punctuation, clean
        )
        with tf.init_scope(), tf.device("CPU"):
            self._expansions = tf.RaggedTensor.from_row_splits(
                tf.constant(table.code_points), tf.constant(table.row_splits, tf.int64)
            )
            if do_lower_case:
                self._cased = tf.constant(character_table.slots_in_class("CASED"))
                ignored = character_table.slots_in_class("CASE_IGNORABLE")
                removed = table.row_splits[1:] == table.row_splits[:-1]
                # Removed by cleaning; nonspacing marks are case-ignorable anyway.
                self._sigma_looks_across = tf.constant(ignored | removed)

    def is_plain(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns bool [B]: whether `lower` is all the normalization that a text needs."""
        return tf.strings.regex_full_match(texts, self._plain_line)

    def lower_plain(self, texts: tf.Tensor) -> tf.Tensor:
        """Lower-cases plain texts [B], if the settings say so."""
        return tf.strings.lower(texts) if self.do_lower_case else texts

    def words(
        self,
        texts: tf.Tensor,
        change: Callable[[tf.RaggedTensor], tf.RaggedTensor] = lambda code_points: code_points,
    ) -> tf.RaggedTensor:
        """Returns the words of texts [B] as ragged strings [B, words].

        change: applied to the ragged code points of the texts that are not plain.
        """
        plain = self.is_plain(texts)
        separated = self.lower_plain(texts)
        if self._split_punctuation:
            separated = tf.strings.regex_replace(separated, _PLAIN_PUNCTUATION, r" \1 ")
        separated = self.replace_others(
            separated, texts, plain, lambda others: encode(change(self.expand(others).code_points))
        )
        return tf.strings.split(separated)

    def replace_others(
        self,
        normalized: tf.Tensor,
        texts: tf.Tensor,
        plain: tf.Tensor,
        normalize: Callable[[tf.Tensor], tf.Tensor],
    ) -> tf.Tensor:
        """Returns `normalized` [B] with the rows that are not `plain` replaced by `normalize`."""
        others = tf.where(~plain)

        def replace():
            rows = tf.gather(texts, others[:, 0])
            return tf.tensor_scatter_nd_update(normalized, others, normalize(rows))

        return tf.cond(tf.size(others) > 0, replace, lambda: normalized)

    def expand(self, texts: tf.Tensor) -> Expansion:
        """Returns the `Expansion` of any texts [B]."""
        decoded, starts = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
        characters, row_splits = decoded.flat_values, decoded.row_splits
        table = character_table
        after = characters - (table.SUPPLEMENT_START - (table.DENSE_END + 1))
        after = tf.clip_by_value(after, table.DENSE_END, table.NUM_SLOTS - 1)
        slots = tf.where(characters < table.DENSE_END, characters, after)
        if self.do_lower_case:
            slots = tf.cond(
                tf.reduce_any(characters == _CAPITAL_SIGMA),
                lambda: self._lower_final_sigmas(decoded, slots),
                lambda: slots,
            )
        expanded = tf.gather(self._expansions, slots)
        code_points, sources = expanded.flat_values, row_numbers(expanded.row_splits)
        if not self._clean:
            is_itself = tf.reduce_any(slots[:, None] == character_table.SHARED_SLOTS, axis=1)
            # No token has characters of plane 15, which stand for something else inside.
            is_reserved = (characters >= 0xF0000) & (characters <= 0xFFFFF)
            originals = tf.where(is_reserved, character_table.UNKNOWN, characters)
            originals = tf.gather(originals, sources)
            code_points = tf.where(tf.gather(is_itself, sources), originals, code_points)
        return Expansion(
            code_points=tf.RaggedTensor.from_row_splits(
                code_points, tf.gather(expanded.row_splits, row_splits), validate=False
            ),
            sources=sources,
            starts=starts.flat_values,
            ends=_ends(texts, starts),
        )

    def _lower_final_sigmas(self, decoded: tf.RaggedTensor, slots: tf.Tensor):
        """Returns the slots [characters] with those of capital sigmas at a word's end replaced.

        `str.lower` makes a capital sigma final where a letter with case stands before it and none
        after it, looking across case-ignorable characters: "ΟΔΟΣ" becomes "οδος" with a final one.
        """
        seen = tf.where(~tf.gather(self._sigma_looks_across, slots))[:, 0]
        rows = tf.gather(row_numbers(decoded.row_splits), seen)
        is_cased = tf.gather(self._cased, tf.gather(slots, seen))
        joined = is_cased[:-1] & is_cased[1:] & (rows[:-1] == rows[1:])
        neither = tf.zeros([1], tf.bool)
        cased_before = tf.concat([neither, joined], 0)
        cased_after = tf.concat([joined, neither], 0)
        is_sigma = tf.gather(decoded.flat_values, seen) == _CAPITAL_SIGMA
        finals = tf.gather(seen, tf.where(is_sigma & cased_before & ~cased_after))
        return tf.tensor_scatter_nd_update(
            slots, finals, tf.fill(tf.shape(finals)[:1], _FINAL_SIGMA)
        )


def encode(code_points: tf.RaggedTensor) -> tf.Tensor:
    """Returns the strings [B] of ragged code points [B, characters]."""
    return tf.strings.unicode_encode(code_points, "UTF-8")


def original_offsets(
    expansion: Expansion, texts: tf.Tensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Returns (starts, ends) in the texts [B] of tokens that lie at byte offsets of the encoding.

    starts, ends: int64 [B, tokens]; byte offsets in the row's encoded expansion.
    """
    rows = row_numbers(starts.row_splits)
    code_points = expansion.code_points.flat_values
    row_splits = expansion.code_points.row_splits
    num_bytes = 1 + sum(tf.cast(code_points >= first, tf.int64) for first in (0x80, 0x800, 0x10000))
    byte_splits = tf.concat([[0], tf.cumsum(num_bytes)], 0)
    row_bytes = tf.gather(tf.gather(byte_splits, row_splits), rows)

    def character_at(byte: tf.Tensor):
        found = tf.searchsorted(byte_splits, byte + row_bytes, side="right", out_type=tf.int64)
        return found - 1

    first, last = character_at(starts.flat_values), character_at(ends.flat_values - 1)
    sources = expansion.sources
    own_ends = tf.gather(expansion.ends, tf.gather(sources, last))
    # Up to where the next character that was not removed begins, or the text ends.
    lengths = tf.gather(tf.cast(tf.strings.length(texts), tf.int64), rows)
    is_last = last + 1 >= tf.gather(row_splits, rows + 1)
    following = tf.gather(sources, tf.where(is_last, last, last + 1))
    next_starts = tf.where(is_last, lengths, tf.gather(expansion.starts, following))
    own_starts = tf.gather(expansion.starts, tf.gather(sources, first))
    return (
        starts.with_flat_values(own_starts),
        ends.with_flat_values(tf.maximum(own_ends, next_starts)),
    )


def _ends(texts: tf.Tensor, starts: tf.RaggedTensor):
    """Returns the byte offset behind each character, int64 [characters], from ragged starts."""
    next_starts = tf.concat([starts.flat_values[1:], [0]], 0)[: tf.size(starts.flat_values)]
    filled = tf.where(starts.row_lengths() > 0)[:, 0]
    last_of_row = tf.gather(starts.row_splits, filled + 1) - 1
    lengths = tf.cast(tf.strings.length(tf.gather(texts, filled)), tf.int64)
    return tf.tensor_scatter_nd_update(next_starts, last_of_row[:, None], lengths)
