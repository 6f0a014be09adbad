# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""WordPiece tokenization in tensor ops, with the ids of the reference's tokenizer.

tensorflow-text's FastWordpieceTokenizer splits at white space, punctuation and ideographs by
itself, for the characters of Unicode 14.0 exactly where the reference does. What it gets here is
normalized by our own tables, without control characters and without words that are too long.
"""

import functools

import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf.text import normalization
from electra_tf.text.long_words import MAX_BYTES_PER_WORD, LongTokens, without_long_words
from electra_tf.text.ragged import row_numbers
from electra_tf.text.tokenizer import Tokenizer, TokensWithOffsets, as_strings
from electra_tf.text.vocabulary import Vocabulary, content_of
from electra_tf.text.vocabulary_lines import FIRST_MARK, NO_WORD_HAS, NUM_MARKS, never_matches


class WordPieceTokenizer(Tokenizer):
    """BERT's tokenizer.

    As in the reference, accents are stripped only where letters are lower-cased too
    (tokenization.py:147-150). Special tokens in the text are text: "[MASK]" becomes [ mask ].
    """

    def __init__(self, vocabulary: Vocabulary, do_lower_case=True, strip_accents=True):
        super().__init__()
        self.vocabulary = vocabulary
        self.do_lower_case = bool(do_lower_case)
        self.strip_accents = bool(strip_accents and do_lower_case)
        self._normalizer = normalization.BasicNormalizer(self.do_lower_case, self.strip_accents)
        self._long_tokens = LongTokens(vocabulary.tokens, vocabulary.special.unk)
        self._wordpiece = self._make_wordpiece()

    def _make_wordpiece(self, **options):
        with tf.init_scope(), tf.device("CPU"):
            return tf_text.FastWordpieceTokenizer(
                _matchable(self.vocabulary.tokens, self._long_tokens.marked_tokens),
                suffix_indicator="##",
                max_bytes_per_word=MAX_BYTES_PER_WORD,
                token_out_type=tf.int32,
                unknown_token=self.vocabulary.special.unk,
                **options,
            )

    def __call__(self, texts):
        """Returns the ids of texts [B], a RaggedTensor int32 [B, tokens]."""
        texts = as_strings(texts)
        normalized = self._normalizer.replace_others(
            self._normalizer.lower_plain(texts),
            texts,
            self._normalizer.is_plain(texts),
            self._normalize_others,
        )
        return self._wordpiece.tokenize(normalized)

    def words(self, texts):
        """Returns the words of texts [B] before they are cut into pieces, ragged [B, words]."""
        return self._normalizer.words(as_strings(texts))

    def of_words(self, words):
        """Returns the ids of each of the words [n] by itself, a RaggedTensor int32 [n, tokens].

        As the reference cuts words for tagging, which splits them at punctuation but not at
        ideographs (tagging_tasks.py:228-250): 日本 becomes 日 ##本, in running text it is 日 本.
        """
        normalizer, wordpiece = self._for_words
        parts = normalizer.words(as_strings(words), lambda found: self._fitting(found)[0])
        ids = wordpiece.tokenize(parts)  # [n, parts, tokens]
        return ids.merge_dims(1, 2)

    @functools.cached_property
    def _for_words(self):
        """What only `of_words` needs, made when it is first called."""
        normalizer = normalization.BasicNormalizer(
            self.do_lower_case, self.strip_accents, split_ideographs=False
        )
        return normalizer, self._make_wordpiece(no_pretokenization=True)

    def files(self):
        """The content of the vocabulary file by its usual name."""
        return {"vocab.txt": content_of(self.vocabulary)}

    def offsets(self, texts):
        """Returns ids and the bytes of the original strings [B] that each of them stands for.

        A token covers removed characters (accents, control characters) that follow it, so that
        cutting the string at the offsets of a word keeps its accents:
        offsets(["Cafés!"]) has ids of cafe, ##s, !; starts [0, 5, 6]; ends [5, 6, 7].
        """
        texts = as_strings(texts)
        expansion = self._normalizer.expand(texts)
        code_points, kept = self._fitting(expansion.code_points)
        expansion = expansion._replace(
            code_points=code_points, sources=tf.boolean_mask(expansion.sources, kept)
        )
        ids, starts, ends = self._wordpiece.tokenize_with_offsets(normalization.encode(code_points))
        rows = row_numbers(starts.row_splits)
        starts_at, ends_at = _original_offsets(
            expansion, texts, rows, starts.flat_values, ends.flat_values
        )
        return TokensWithOffsets(
            ids, ids.with_flat_values(starts_at), ids.with_flat_values(ends_at)
        )

    def _fitting(self, code_points):
        """Replaces words and tokens that the op has no room for; as `without_long_words`."""
        code_points, kept = without_long_words(code_points)
        if not self._long_tokens.marked_tokens:
            return code_points, kept
        code_points, still_kept = self._long_tokens.mark(code_points)
        return code_points, tf.tensor_scatter_nd_update(kept, tf.where(kept), still_kept)

    def _normalize_others(self, texts):
        """Normalizes texts [B] that are not plain, though most of their words may be.

        Spaces part them, which no rule looks across.
        """

        def expand(words):
            code_points, _ = self._fitting(self._normalizer.expand(words).code_points)
            return normalization.encode(code_points)

        parts = tf.strings.split(texts, " ")
        words = parts.flat_values
        normalized = self._normalizer.replace_others(
            self._normalizer.lower_plain(words), words, self._normalizer.is_plain(words), expand
        )
        return tf.strings.unsorted_segment_join(
            normalized, row_numbers(parts.row_splits), parts.nrows(), separator=" "
        )


def _matchable(tokens, marked):
    """Returns the tokens, those replaced that no word can have, and those that are too long.

    They keep their places, which are the ids; of tokens that are there twice, the last is matched.
    Behind all ids, there is one more, because the op takes no vocabulary without a token that
    could be text.

    marked: what stands for long tokens, by id.
    """
    last = {token: place for place, token in enumerate(tokens)}
    matchable = [
        f"{NO_WORD_HAS}{place}" if never_matches(token) or last[token] != place else token
        for place, token in enumerate(tokens)
    ]
    for place, token in marked.items():
        matchable[place] = token
    return [*matchable, chr(FIRST_MARK + NUM_MARKS)]


def _original_offsets(expansion, texts, rows, starts, ends):
    """Returns (starts, ends) in the texts [B] of tokens that lie at byte offsets of the encoding.

    rows, starts, ends: int64 [tokens]; row and byte offsets in its encoded expansion.
    """
    code_points = expansion.code_points.flat_values
    row_splits = expansion.code_points.row_splits
    num_bytes = 1 + sum(tf.cast(code_points >= first, tf.int64) for first in (0x80, 0x800, 0x10000))
    byte_splits = tf.concat([[0], tf.cumsum(num_bytes)], 0)
    row_bytes = tf.gather(tf.gather(byte_splits, row_splits), rows)

    def character_at(byte):
        found = tf.searchsorted(byte_splits, byte + row_bytes, side="right", out_type=tf.int64)
        return found - 1

    first, last = character_at(starts), character_at(ends - 1)
    sources = expansion.sources
    own_ends = tf.gather(expansion.ends, tf.gather(sources, last))
    # Up to where the next character that was not removed begins, or the text ends.
    lengths = tf.gather(tf.cast(tf.strings.length(texts), tf.int64), rows)
    is_last = last + 1 >= tf.gather(row_splits, rows + 1)
    following = tf.gather(sources, tf.where(is_last, last, last + 1))
    next_starts = tf.where(is_last, lengths, tf.gather(expansion.starts, following))
    return tf.gather(expansion.starts, tf.gather(sources, first)), tf.maximum(own_ends, next_starts)
