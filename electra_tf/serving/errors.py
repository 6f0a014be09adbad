# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Words that do not belong where they are, and what the generator would put there.

A word (see `located_words`) looks as wrong as the most suspicious of its tokens does to the
discriminator. What is replaced are its letters: marks around them stay as they are.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from electra_tf.interop.error_calibration import ErrorCalibration
from electra_tf.serving.located_words import Core, LocatedWords, Pieces, located_words
from electra_tf.serving.tagged_text import Words, per_text
from electra_tf.text import Tokenizer, Vocabulary
from electra_tf.text.packing import packed_batch
from electra_tf.text.ragged import row_numbers

Batch = Mapping[str, tf.Tensor]

MAX_MENDED = 32
"""Words of a text that get replacements, at most: the most probable errors."""
_ROWS_AT_ONCE = 16
"""Rows with a mask that the generator reads at once, so that memory is bounded."""
_NO_TOKEN_LOGIT = -100.0
"""Of words that have no token, such as control characters."""


class ErrorFinder(tf.Module):
    """Finds errors by a discriminator, and fillings for them by a generator.

    Args:
        tokenizer: of the models.
        max_seq_length: tokens of a row, at most; the words behind them are not looked at.
        top_k: replacements of each word.
        calibration: of the discriminator.
        replaced_logits: rows [B, L] -> logits that tokens were replaced [B, L].
        filling_logits: rows and positions int32 [B, M] -> logits of tokens [B, M, V]; None if
            there is no generator.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        max_seq_length: int,
        top_k: int,
        calibration: ErrorCalibration | None,
        replaced_logits: Callable[[Batch], tf.Tensor],
        filling_logits: Callable[[Batch, tf.Tensor], tf.Tensor] | None,
    ):
        super().__init__()
        self._tokenizer = tokenizer
        self._room = max_seq_length - 2
        self._top_k = top_k
        self._replaced_logits = replaced_logits
        self._filling_logits = filling_logits
        self._pieces = Pieces.of(tokenizer.vocabulary)
        self._temperature, self._bias, self._threshold = (
            tf.Variable(0.0, trainable=False) for _ in range(3)
        )
        self._is_calibrated = tf.Variable(False, trainable=False)
        self.calibrate(calibration)

    def calibrate(self, calibration: ErrorCalibration | None) -> None:
        """Use another calibration from now on; none: that of the discriminator's training."""
        used = calibration or ErrorCalibration()
        self._temperature.assign(used.temperature)
        self._bias.assign(used.bias)
        self._threshold.assign(used.threshold)
        self._is_calibrated.assign(calibration is not None)

    def __call__(self, text: tf.Tensor, threshold: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `LoadedModel.find_errors` returns.

        Args:
            text: string [B].
            threshold: float32 [B]; below 0 for that of the calibration.
        """
        found = located_words(self._tokenizer, text, self._room)
        words = found.words
        batch = packed_batch(found.tokens.ids, None, self._tokenizer.vocabulary)
        logits = self._word_logits(found, self._replaced_logits(batch))
        has_token = logits > _NO_TOKEN_LOGIT
        probabilities = tf.sigmoid(logits / self._temperature + self._bias)
        probabilities = tf.where(has_token, probabilities, 0.0)
        threshold = tf.where(threshold < 0, self._threshold, threshold)
        is_unknown = found.has_token(self._tokenizer.vocabulary.unk_id)
        is_error = has_token & ~is_unknown & (probabilities >= tf.gather(threshold, found.rows))
        outputs = {
            "words": per_text(words.texts.flat_values, words.texts, ""),
            "starts": per_text(words.starts.flat_values, words.texts, 0),
            "ends": per_text(words.ends.flat_values, words.texts, 0),
            "probabilities": per_text(probabilities, words.texts, 0.0),
            "logits": per_text(logits, words.texts, 0.0),
            "is_error": per_text(is_error, words.texts, False),
            "is_unknown": per_text(is_unknown, words.texts, False),
            "num_words": tf.cast(words.texts.row_lengths(), tf.int32),
            "is_truncated": found.is_truncated,
            "threshold": threshold,
            "is_calibrated": tf.fill(tf.shape(text), self._is_calibrated),
        }
        if self._filling_logits is None:
            return outputs
        wrong = _most_probable(tf.where(is_error, probabilities, -1.0), words)
        names, values = self._replacements(text, found, wrong)
        outputs["replacements"] = per_text(_at(wrong, names, is_error, ""), words.texts, "")
        values = _at(wrong, values, is_error, 0.0)
        outputs["replacement_probabilities"] = per_text(values, words.texts, 0.0)
        return outputs

    def _word_logits(self, found: LocatedWords, logits: tf.Tensor) -> tf.Tensor:
        """The highest logit of the tokens of each word, float32 [words of all texts]."""
        lengths = found.tokens.ids.row_lengths()
        of_tokens = tf.boolean_mask(logits[:, 1:-1], tf.sequence_mask(lengths))
        highest = tf.math.unsorted_segment_max(of_tokens, found.word_of, found.count)
        return tf.maximum(highest, _NO_TOKEN_LOGIT)

    def _replacements(
        self, text: tf.Tensor, found: LocatedWords, wrong: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best fillings for words int64 [P]: string and float32 [P, K]."""
        core = found.core(self._pieces, wrong)
        ids, values = self._fillings(*_masked_rows(found, core, self._tokenizer.vocabulary), core)
        names = tf.gather(tf.constant(self._pieces.names), ids)
        starts = tf.gather(found.words.starts.flat_values, wrong)
        ends = tf.gather(found.words.ends.flat_values, wrong)
        texts = tf.gather(text, core.rows)
        if self._tokenizer.do_lower_case:
            letters = tf.strings.substr(texts, core.starts, core.ends - core.starts)
            names = _with_capitals(names, letters)
        before = tf.strings.substr(texts, starts, core.starts - starts)
        behind = tf.strings.substr(texts, core.ends, ends - core.ends)
        around = (tf.repeat(part[:, None], self._top_k, axis=1) for part in (before, behind))
        whole = tf.strings.join([next(around), names, next(around)])
        return tf.where(values > 0, whole, ""), values

    def _fillings(
        self, batch: Batch, positions: tf.Tensor, core: Core
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids and probabilities [P, K] of whole words at a position of each row, best first."""
        count, size = tf.shape(positions)[0], len(self._tokenizer.vocabulary)

        def some(first: tf.Tensor, ids: tf.Tensor, values: tf.Tensor):
            part = slice(first, first + _ROWS_AT_ONCE)
            rows = {name: column[part] for name, column in batch.items()}
            logits = self._filling_logits(rows, positions[part, None])[:, 0, :size]
            begins, pieces = core.begins[part, None], self._pieces
            # Behind a mark, pieces that continue a word stand for those with the same name that
            # begin one. Without spaces, they are words themselves.
            continues = ~begins & (core.is_unspaced[part, None] | (pieces.other_form < size))
            is_choice = (pieces.begins | continues) & pieces.is_text
            is_choice &= pieces.is_mark == core.is_mark[part, None]
            found = tf.nn.softmax(tf.where(is_choice, logits, logits.dtype.min))
            found = tf.where(is_choice, found, 0.0)
            found += tf.gather(tf.pad(found, [[0, 0], [0, 1]]), pieces.other_form, axis=1)
            is_name = pieces.begins | (pieces.other_form == size)
            best = tf.math.top_k(tf.where(is_name, found, 0.0), self._top_k)
            ids = tf.concat([ids, best.indices], 0)
            return first + _ROWS_AT_ONCE, ids, tf.concat([values, best.values], 0)

        shape = tf.TensorShape([None, self._top_k])
        _, ids, values = tf.while_loop(
            lambda first, *_: first < count,
            some,
            (tf.constant(0), tf.zeros([0, self._top_k], tf.int32), tf.zeros([0, self._top_k])),
            shape_invariants=(tf.TensorShape([]), shape, shape),
            parallel_iterations=1,
        )
        return ids, values


def _most_probable(probabilities: tf.Tensor, words: Words) -> tf.Tensor:
    """Words of all texts, int64 [P]: the most probable ones of each text above 0, in any order."""
    of_texts = per_text(probabilities, words.texts, -1.0)
    best = tf.math.top_k(of_texts, tf.minimum(MAX_MENDED, tf.shape(of_texts)[1]))
    found = tf.where(best.values >= 0)
    firsts = tf.gather(words.texts.row_starts(), found[:, 0])
    return firsts + tf.cast(tf.gather_nd(best.indices, found), tf.int64)


def _masked_rows(
    found: LocatedWords, core: Core, vocabulary: Vocabulary
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """A row for each core, which is one mask in it, and where the mask is, int32 [P]."""
    before = tf.gather(found.tokens.ids.row_splits, core.rows)
    behind = tf.gather(found.tokens.ids.row_splits, core.rows + 1)
    # Of each row, the tokens up to the first of the core and those behind the last one.
    begins = tf.stack([before, core.last + 1], 1)
    ends = tf.stack([core.first + 1, behind], 1)
    lengths = tf.reshape(ends - begins, [-1])
    splits = tf.concat([[0], tf.cumsum(lengths)], 0)
    parts = row_numbers(splits)
    within = tf.range(splits[-1]) - tf.gather(splits, parts)
    places = tf.gather(tf.reshape(begins, [-1]), parts) + within
    is_mask = places == tf.gather(core.first, parts // 2)
    ids = tf.where(is_mask, vocabulary.mask_id, tf.gather(found.tokens.ids.flat_values, places))
    rows = tf.RaggedTensor.from_row_splits(ids, splits[::2], validate=False)
    return packed_batch(rows, None, vocabulary), tf.cast(core.first - before, tf.int32) + 1


def _at(words: tf.Tensor, values: tf.Tensor, like: tf.Tensor, default: str | float) -> tf.Tensor:
    """Values [P, K] of some words for all words [words, K], with a default for the others."""
    places = tf.tensor_scatter_nd_update(
        tf.zeros_like(like, tf.int32), words[:, None], tf.range(tf.size(words)) + 1
    )
    none = tf.fill([1, values.shape[1]], tf.constant(default, values.dtype))
    return tf.gather(tf.concat([none, values], 0), places)


def _with_capitals(names: tf.Tensor, letters: tf.Tensor) -> tf.Tensor:
    """Names [P, K] with capitals where letters [P] have them, "Its" or "ITS"."""
    is_capital = tf.strings.regex_full_match(letters, r"(?s)\p{Lu}.*")
    is_upper = tf.strings.regex_full_match(letters, r"(?s)\p{Lu}.*\p{Lu}.*")
    is_upper &= ~tf.strings.regex_full_match(letters, r"(?s).*\p{Ll}.*")
    upper = tf.strings.upper(names, encoding="utf-8")
    first = tf.strings.substr(upper, 0, 1, unit="UTF8_CHAR")
    rest = tf.strings.substr(names, 1, tf.int32.max, unit="UTF8_CHAR")
    capital = tf.strings.join([first, rest])
    cased = tf.where(is_capital[:, None], capital, names)
    return tf.where(is_upper[:, None], upper, cased)
