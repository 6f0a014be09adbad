# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tokens that were added to a tokenizer: found in the text before anything else is done to it.

By the rules of Hugging Face's tokenizers library (added_vocabulary.rs), in tensor ops: the first
match counts, of those the longest; those that are `normalized` are looked for in what lies between
the others, after case and accents.
"""

import itertools
import os
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf.text import normalization
from electra_tf.text.normalization import BasicNormalizer
from electra_tf.text.ragged import Parts, row_numbers
from electra_tf.text.tokenizer import TokensWithOffsets
from electra_tf.text.vocabulary import AddedToken

_SPACE = r"[\t-\r\x{85}\p{Z}]"
# What Rust's \w is: letters, marks, digits, connecting punctuation, joiners, letters in circles.
_OF_WORDS = (
    r"[\p{L}\p{Nl}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9}"
    r"\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}]"
)


class AddedTokens(tf.Module):
    """Finds added tokens in texts and has the rest tokenized.

    Args:
        tokens: what was added.
        normalizer: what a text becomes before it is split into words.

    Raises:
        ValueError: nothing is left of a token by normalization.
    """

    def __init__(self, tokens: Sequence[AddedToken], normalizer: BasicNormalizer):
        super().__init__()
        self._normalizer = normalizer
        # Of contents that become the same, the first one counts, special ones before others.
        ordered = sorted(tokens, key=lambda token: not token.special)
        as_written = {token.content: token for token in ordered if not token.normalized}
        normalized: dict[str, AddedToken] = {}
        for token in ordered:
            if token.normalized:
                normalized.setdefault(_normalized(token.content, normalizer), token)
        self._as_written = _Matcher(as_written) if as_written else None
        self._normalized = _Matcher(normalized) if normalized else None

    def ids(self, texts: tf.Tensor, tokenize: Callable) -> tf.RaggedTensor:
        """Ids of texts [B]; `tokenize` gives those of texts without added tokens."""
        if self._as_written is None:
            return self._ids_of_others(texts, tokenize)
        parts = self._as_written(texts)
        return parts.with_ids(self._ids_of_others(parts.texts, tokenize))

    def offsets(self, texts: tf.Tensor, tokenize: Callable) -> TokensWithOffsets:
        """Likewise ids and byte offsets; `tokenize` gives both."""
        if self._as_written is None:
            return self._offsets_of_others(texts, tokenize)
        parts = self._as_written(texts)
        return TokensWithOffsets(
            *parts.with_offsets(*self._offsets_of_others(parts.texts, tokenize))
        )

    def _ids_of_others(self, texts: tf.Tensor, tokenize: Callable):
        if self._normalized is None:
            return tokenize(texts)
        expansion = self._normalizer.expand(texts)
        parts = self._normalized(normalization.encode(expansion.code_points))
        return parts.with_ids(tokenize(parts.texts))

    def _offsets_of_others(self, texts: tf.Tensor, tokenize: Callable):
        if self._normalized is None:
            return tokenize(texts)
        expansion = self._normalizer.expand(texts)
        # To normalize what is normalized changes nothing.
        parts = self._normalized(normalization.encode(expansion.code_points))
        ids, *offsets = parts.with_offsets(*tokenize(parts.texts))
        return TokensWithOffsets(ids, *normalization.original_offsets(expansion, texts, *offsets))


class _Matcher(tf.Module):
    """Cuts texts at the first matches of some contents, as they stand there, the longest first."""

    def __init__(self, tokens: Mapping[str, AddedToken]):
        super().__init__()
        contents = sorted(tokens)
        chosen = [tokens[content] for content in contents]
        self._pattern = _longest_of(contents)
        self._has_flag = {
            flag: any(getattr(token, flag) for token in chosen)
            for flag in ("single_word", "lstrip", "rstrip")
        }
        with tf.init_scope(), tf.device("CPU"):
            self._numbers = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(contents, tf.range(len(contents))), -1
            )
            self._ids = tf.constant([token.id for token in chosen], tf.int32)
            self._flags = {
                flag: tf.constant([getattr(token, flag) for token in chosen])
                for flag in self._has_flag
            }

    def __call__(self, texts: tf.Tensor) -> Parts:
        """The parts of texts [B] between the tokens."""
        # The operation ends at a zero byte, so another byte stands for it while it looks.
        seen = tf.strings.regex_replace(texts, r"\x00", "\x01")
        found, begins, ends = tf_text.regex_split_with_offsets(seen, self._pattern, self._pattern)
        pieces, row_splits = found.flat_values, tf.cast(found.row_splits, tf.int64)
        rows = row_numbers(row_splits)
        lengths = tf.cast(tf.strings.length(texts), tf.int64)
        starts, stops = (tf.cast(offsets.flat_values, tf.int64) for offsets in (begins, ends))
        # What lies between two matches holds no content, so that it is not in the table.
        numbers = self._numbers.lookup(pieces)
        is_kept = numbers >= 0
        if self._has_flag["single_word"]:
            is_whole = _stands_alone(pieces, starts == 0, stops == tf.gather(lengths, rows))
            is_kept &= is_whole | ~self._flag("single_word", tf.maximum(numbers, 0))
        numbers, rows, starts, stops = (
            tf.boolean_mask(values, is_kept) for values in (numbers, rows, starts, stops)
        )
        starts, stops = self._with_spaces(texts, lengths, numbers, rows, starts, stops)
        return _parts_between(texts, lengths, rows, starts, stops, tf.gather(self._ids, numbers))

    def _with_spaces(
        self,
        texts: tf.Tensor,
        lengths: tf.Tensor,
        numbers: tf.Tensor,
        rows: tf.Tensor,
        starts: tf.Tensor,
        stops: tf.Tensor,
    ):
        """(starts, stops) of the tokens with the white space beside them that they take."""
        row_texts = tf.gather(texts, rows)
        is_same = rows[1:] == rows[:-1]
        if self._has_flag["rstrip"]:
            # A token that begins with white space, as ideographs do after normalization, has it
            # nevertheless; the two then share it.
            ahead = tf.where(is_same, stops[1:], tf.gather(lengths, rows)[:-1])
            ahead = tf.concat([ahead, tf.gather(lengths, rows)[-1:]], 0)
            behind = tf.strings.substr(row_texts, stops, ahead - stops)
            stops += tf.where(self._flag("rstrip", numbers), _num_bytes(f"^{_SPACE}+", behind), 0)
        if self._has_flag["lstrip"]:
            last_stops = tf.where(is_same, stops[:-1], 0)
            last_stops = tf.concat([tf.zeros_like(stops[:1]), last_stops], 0)
            between = tf.maximum(starts - last_stops, 0)
            before = tf.strings.substr(row_texts, starts - between, between)
            begins = tf.maximum(starts - _num_bytes(f"{_SPACE}+$", before), last_stops)
            starts = tf.where(self._flag("lstrip", numbers), begins, starts)
        return starts, stops

    def _flag(self, name: str, numbers: tf.Tensor):
        return tf.gather(self._flags[name], numbers)


def _parts_between(
    texts: tf.Tensor,
    lengths: tf.Tensor,
    rows: tf.Tensor,
    starts: tf.Tensor,
    stops: tf.Tensor,
    ids: tf.Tensor,
) -> Parts:
    """The parts of texts [B] around tokens; all but the first two arguments are of tokens."""
    num_rows, num_tokens = tf.shape(texts, tf.int64)[0], tf.shape(rows, tf.int64)[0]
    counts = tf.math.unsorted_segment_sum(tf.ones_like(rows), rows, num_rows)
    row_splits = tf.concat([[0], tf.cumsum(counts + 1)], 0)
    before = (tf.range(num_tokens) + rows)[:, None]  # the part in front of each token
    size = [num_rows + num_tokens]
    part_starts = tf.scatter_nd(before + 1, stops, size)
    part_stops = tf.scatter_nd(
        tf.concat([before, row_splits[1:, None] - 1], 0), tf.concat([starts, lengths], 0), size
    )
    row_texts = tf.gather(texts, row_numbers(row_splits))
    sizes = tf.maximum(part_stops - part_starts, 0)
    part_texts = tf.strings.substr(row_texts, part_starts, sizes)
    return Parts(part_texts, row_splits, part_starts, ids, starts, stops)


def _stands_alone(pieces: tf.Tensor, is_first: tf.Tensor, is_last: tf.Tensor):
    """Whether no letter or the like is right before or behind each piece of all rows."""
    none = tf.zeros([1], tf.bool)
    begins_word = tf.strings.regex_full_match(pieces, f"(?s){_OF_WORDS}.*")
    ends_word = tf.strings.regex_full_match(pieces, f"(?s).*{_OF_WORDS}")
    is_behind_word = tf.concat([none, ends_word], 0)[:-1] & ~is_first
    is_before_word = tf.concat([begins_word, none], 0)[1:] & ~is_last
    return ~(is_behind_word | is_before_word)


def _num_bytes(pattern: str, texts: tf.Tensor):
    """How many bytes of each text match, int64."""
    rest = tf.strings.regex_replace(texts, pattern, "", replace_global=False)
    return tf.cast(tf.strings.length(texts) - tf.strings.length(rest), tf.int64)


def _normalized(content: str, normalizer: BasicNormalizer) -> str:
    with tf.init_scope():
        (found,) = normalization.encode(normalizer.expand(tf.constant([content])).code_points)
    if not found.numpy():
        raise ValueError(
            f"the added token {content!r} cannot be matched: nothing is left of it after "
            'normalization. Give it "normalized": false.'
        )
    return found.numpy().decode()


def _longest_of(contents: Sequence[str]) -> str:
    """A regular expression for the longest of some sorted strings, a tree of their beginnings."""
    shared = os.path.commonprefix(contents)  # noqa: RUF071  (character by character is meant)
    rests = [content[len(shared) :] for content in contents]
    branches = [
        _longest_of(list(found))
        for _, found in itertools.groupby(filter(None, rests), key=lambda rest: rest[0])
    ]
    tree = "".join(f"\\x{{{ord(character):x}}}" for character in shared)
    if branches:
        tree += f"(?:{'|'.join(branches)})" + "?" * ("" in rests)
    return tree
