# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""WordPiece tokenization in tensor ops, with the ids of the reference's tokenizer.

tensorflow-text's FastWordpieceTokenizer splits at white space, punctuation and ideographs by
itself, for the characters of Unicode 14.0 exactly where the reference does. What it gets here is
normalized by our own tables, without control characters and without words that are too long.
"""

import functools
from collections.abc import Mapping, Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf.text import normalization
from electra_tf.text.added_tokens import AddedTokens
from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD, encode
from electra_tf.text.ragged import part_starts, row_numbers
from electra_tf.text.tokenizer import Strings, Tokenizer, TokensWithOffsets, as_strings
from electra_tf.text.vocabulary import Vocabulary, content_of
from electra_tf.text.vocabulary_file import FIRST_MARK, NO_WORD_HAS, NUM_MARKS, never_matches

MAX_BYTES_PER_WORD = 4 * MAX_CHARACTERS_PER_WORD
"""What a word of so many characters takes at most in UTF-8."""

MAX_BYTES_PER_TOKEN = 256
"""Without `##`; a limit of the op (fast_wordpiece_tokenizer_utils.h)."""

# Stands for a word that is too long: cleaning removes this character from every text, so no piece
# that contains it can be meant.
_UNKNOWN_CHARACTER = 0x7F


class WordPieceTokenizer(Tokenizer):
    """BERT's tokenizer.

    As in the reference, accents are stripped only where letters are lower-cased too
    (tokenization.py:147-150). Special tokens in the text are text: "[MASK]" becomes [ mask ].
    Added tokens of the vocabulary are matched before everything else, see `added_tokens`.

    pre_split: the words of the texts are what white space separates, and are cut into pieces as
        they are: nothing is removed from them and no punctuation or ideograph is split off.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        do_lower_case: bool = True,
        strip_accents: bool = True,
        pre_split: bool = False,
    ):
        super().__init__()
        self.vocabulary = vocabulary
        self.do_lower_case = bool(do_lower_case)
        self.strip_accents = bool(strip_accents and do_lower_case)
        self.pre_split = bool(pre_split)
        case = self.do_lower_case, self.strip_accents
        self._normalizer = normalization.BasicNormalizer(*case, *[not self.pre_split] * 3)
        self._long_tokens = LongTokens(vocabulary.pieces, vocabulary.special.unk)
        self._wordpiece = self._make_wordpiece(no_pretokenization=self.pre_split)
        self._added = None
        if vocabulary.added:
            whole = normalization.BasicNormalizer(
                *case, not self.pre_split, split_punctuation=False, clean=not self.pre_split
            )
            self._added = AddedTokens(vocabulary.added, whole)

    def _make_wordpiece(self, **options: bool) -> tf_text.FastWordpieceTokenizer:
        with tf.init_scope(), tf.device("CPU"):
            return tf_text.FastWordpieceTokenizer(
                _matchable(self.vocabulary.pieces, self._long_tokens.marked_tokens),
                suffix_indicator="##",
                max_bytes_per_word=MAX_BYTES_PER_WORD,
                token_out_type=tf.int32,
                unknown_token=self.vocabulary.special.unk,
                **options,
            )

    def __call__(self, texts: Strings) -> tf.RaggedTensor:
        texts = as_strings(texts)
        return self._added.ids(texts, self._ids) if self._added else self._ids(texts)

    def _ids(self, texts: tf.Tensor):
        normalized = self._normalizer.replace_others(
            self._normalizer.lower_plain(texts),
            texts,
            self._normalizer.is_plain(texts),
            self._normalize_others,
        )
        if not self.pre_split:
            return self._wordpiece.tokenize(normalized)
        return self._wordpiece.tokenize(tf.strings.split(normalized)).merge_dims(1, 2)

    def words(self, texts: Strings) -> tf.RaggedTensor:
        """Returns the words of texts [B] before they are cut into pieces, ragged [B, words]."""
        return self._normalizer.words(as_strings(texts))

    def of_words(self, words: Strings) -> tf.RaggedTensor:
        """As the reference cuts words for tagging.

        It splits them at punctuation but not at ideographs (tagging_tasks.py:228-250): 日本 becomes
        日 ##本, in running text it is 日 本.
        """
        words = as_strings(words)
        if self.pre_split:
            return self(words)
        return self._added.ids(words, self._of_words) if self._added else self._of_words(words)

    def _of_words(self, words: tf.Tensor):
        normalizer, wordpiece = self._for_words
        parts = normalizer.words(words, lambda found: self._fitting(found)[0])
        ids = wordpiece.tokenize(parts)  # [n, parts, tokens]
        return ids.merge_dims(1, 2)

    @functools.cached_property
    def _for_words(self):
        """What only `of_words` needs, made when it is first called."""
        normalizer = normalization.BasicNormalizer(
            self.do_lower_case, self.strip_accents, split_ideographs=False
        )
        return normalizer, self._make_wordpiece(no_pretokenization=True)

    def files(self) -> dict[str, bytes]:
        return {"vocab.txt": content_of(self.vocabulary)}

    def offsets(self, texts: Strings) -> TokensWithOffsets:
        """Returns ids and the bytes of the original strings [B] that each of them stands for.

        A token covers removed characters (accents, control characters) that follow it, so that
        cutting the string at the offsets of a word keeps its accents:
        offsets(["Cafés!"]) has ids of cafe, ##s, !; starts [0, 5, 6]; ends [5, 6, 7].
        """
        texts = as_strings(texts)
        return self._added.offsets(texts, self._offsets) if self._added else self._offsets(texts)

    def _offsets(self, texts: tf.Tensor):
        expansion = self._normalizer.expand(texts)
        code_points, kept = self._fitting(expansion.code_points)
        expansion = expansion._replace(
            code_points=code_points, sources=tf.boolean_mask(expansion.sources, kept)
        )
        ids, *offsets = self._cut_with_offsets(encode(code_points))
        return TokensWithOffsets(ids, *normalization.original_offsets(expansion, texts, *offsets))

    def _fitting(self, code_points: tf.RaggedTensor):
        """Replaces words and tokens that the op has no room for; as `without_long_words`."""
        code_points, kept = without_long_words(code_points)
        if not self._long_tokens.marked_tokens:
            return code_points, kept
        code_points, still_kept = self._long_tokens.mark(code_points)
        return code_points, tf.tensor_scatter_nd_update(kept, tf.where(kept), still_kept)

    def _cut_with_offsets(self, normalized: tf.Tensor):
        """Ids and byte offsets in the normalized texts [B]."""
        if not self.pre_split:
            return self._wordpiece.tokenize_with_offsets(normalized)
        words = tf.strings.split(normalized, " ")
        ids, starts, ends = (
            found.merge_dims(0, 1) for found in self._wordpiece.tokenize_with_offsets(words)
        )  # [words of all rows, tokens]
        shift = tf.gather(part_starts(words, 1), row_numbers(tf.cast(starts.row_splits, tf.int64)))
        columns = (ids.flat_values, starts.flat_values + shift, ends.flat_values + shift)
        row_splits = tf.gather(ids.row_splits, words.row_splits)
        return tuple(
            tf.RaggedTensor.from_row_splits(c, row_splits, validate=False) for c in columns
        )

    def _normalize_others(self, texts: tf.Tensor):
        """Normalizes texts [B] that are not plain, though most of their words may be.

        Spaces part them, which no rule looks across.
        """

        def expand(words: tf.Tensor):
            code_points, _ = self._fitting(self._normalizer.expand(words).code_points)
            return encode(code_points)

        parts = tf.strings.split(texts, " ")
        words = parts.flat_values
        normalized = self._normalizer.replace_others(
            self._normalizer.lower_plain(words), words, self._normalizer.is_plain(words), expand
        )
        return tf.strings.unsorted_segment_join(
            normalized, row_numbers(parts.row_splits), parts.nrows(), separator=" "
        )


def _matchable(tokens: Sequence[str], marked: Mapping[int, str]):
    """Returns the tokens, those replaced that no word can have, and those that are too long.

    They keep their places, which are the ids; of tokens that occur twice, the last is matched.
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


# ---- Words and tokens that are longer than the op takes them: a single character that no
# normalized text holds stands for each, so that the ids are those of the reference


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
    cut by tensorflow-text's older, slower op, which has no such limit. The token `unknown` stands
    for words without pieces.

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
