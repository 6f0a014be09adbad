# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tokenization by a SentencePiece model, unigram or BPE, in tensor ops.

A model file holds the pieces and the rules by which text is normalized, so it needs no settings.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import sentencepiece
import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf.text import character_table
from electra_tf.text.ragged import row_numbers
from electra_tf.text.tokenizer import Strings, Tokenizer, TokensWithOffsets, as_strings
from electra_tf.text.vocabulary import SENTENCEPIECE, WORD_START, SpecialTokens, Vocabulary

MODEL_SUFFIX = ".model"
MODEL_FILE = "spiece.model"
"""What the file is called in folders that are written here."""

_USUAL_NAMES = {
    "pad": ("[PAD]", "<pad>"),
    "cls": ("[CLS]", "<cls>", "<s>"),
    "sep": ("[SEP]", "<sep>", "</s>"),
    "mask": ("[MASK]", "<mask>"),
}
"""Names of special tokens in published models, the first that a model holds counts."""


class SentencePieceTokenizer(Tokenizer):
    """A SentencePiece model; its ids are those of the sentencepiece package.

    Args:
        model: content of a `.model` file.
        special: the model's special tokens; default: those of the usual names that it has.
        name: what messages call the model.

    Raises:
        ValueError: it is no such model, or one without special tokens for all five purposes.
    """

    def __init__(self, model: bytes, special: SpecialTokens | None = None, name: str = "The model"):
        super().__init__()
        self.vocabulary = vocabulary_of_model(model, special, name)
        self._model = model
        # Whatever rules the model has, what they do to these letters can be seen.
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.do_lower_case = processor.normalize("A").strip(WORD_START) == "a"
        self.strip_accents = processor.normalize("é").strip(WORD_START) == "e"
        with tf.init_scope(), tf.device("CPU"):
            self._pieces = tf_text.SentencepieceTokenizer(model, out_type=tf.int32)
            blank = [not token.strip(WORD_START) for token in self.vocabulary.tokens]
            self._is_blank = tf.constant(blank, tf.bool)
            self._is_space = tf.constant(_spaces())

    def __call__(self, texts: Strings) -> tf.RaggedTensor:
        return self._pieces.tokenize(as_strings(texts))

    def offsets(self, texts: Strings) -> TokensWithOffsets:
        """Returns ids and the bytes of the original strings [B] that each of them stands for.

        The space at the start of a piece, `▁`, is not among its bytes: offsets(["ab  cd"]) of the
        pieces ▁ab, ▁c, d has the starts [0, 4, 5] and the ends [2, 5, 6].
        """
        texts = as_strings(texts)
        ids, starts, ends = self._pieces.tokenize_with_offsets(texts)
        found = _own_bytes(
            texts,
            row_numbers(starts.row_splits),
            tf.cast(starts.flat_values, tf.int64),
            tf.cast(ends.flat_values, tf.int64),
            tf.gather(self._is_blank, ids.flat_values),
            self._is_space,
        )
        return TokensWithOffsets(ids, *(ids.with_flat_values(values) for values in found))

    def of_words(self, words: Strings) -> tf.RaggedTensor:
        """The first piece of a word begins with `▁`, as behind a space."""
        return self(words)

    def files(self) -> dict[str, bytes]:
        return {MODEL_FILE: self._model}


def vocabulary_of_model(
    model: bytes, special: SpecialTokens | None = None, name: str = "The model"
) -> Vocabulary:
    """Returns the `Vocabulary` of the content of a `.model` file; arguments as above."""
    processor = sentencepiece.SentencePieceProcessor()
    try:
        if not model:
            raise RuntimeError("it is empty")
        processor.LoadFromSerializedProto(model)
    except RuntimeError as error:
        raise ValueError(f"{name} is expected to be a SentencePiece model: {error}.") from error
    tokens = tuple(processor.id_to_piece(i) for i in range(processor.get_piece_size()))
    special = special or _usual_special_tokens(processor, tokens, name)
    missing = sorted(set(special.all) - set(tokens))
    if missing:
        raise ValueError(
            f"{name} is expected to have the tokens {', '.join(missing)}, but has not."
        )
    return Vocabulary(tokens, special, SENTENCEPIECE, hashlib.sha256(model).hexdigest())


def _usual_special_tokens(
    processor: sentencepiece.SentencePieceProcessor, tokens: Sequence[str], name: str
) -> SpecialTokens:
    known = set(tokens)
    chosen = {
        purpose: next((token for token in names if token in known), None)
        for purpose, names in _USUAL_NAMES.items()
    }
    missing = [purpose for purpose, token in chosen.items() if token is None]
    if missing:
        names = "; ".join(f"{purpose}: {' '.join(_USUAL_NAMES[purpose])}" for purpose in missing)
        raise ValueError(
            f"{name} has no special token of a usual name for {', '.join(missing)} ({names}). If "
            'other tokens serve for it, name them under "special_tokens" in a tokenizer.json.'
        )
    return SpecialTokens(unk=tokens[processor.unk_id()], **chosen)


def _spaces():
    """Returns a bool array over code points: what separates words, or cannot be seen."""
    is_space = np.zeros(0x110000, bool)
    members = character_table.code_points_of("SEPARATOR") | character_table.code_points_of(
        "CONTROL"
    )
    is_space[[c for c in members if c < len(is_space)]] = True
    is_space[ord(WORD_START)] = True
    return is_space


def _own_bytes(
    texts: tf.Tensor,
    rows: tf.Tensor,
    starts: tf.Tensor,
    ends: tf.Tensor,
    is_blank: tf.Tensor,
    is_space: tf.Tensor,
):
    """Returns (starts, ends) of tokens without the spaces at their start.

    rows, starts, ends: int64 [tokens], where the op says that each token lies; is_blank: which
    pieces have no character but `▁`.
    """
    decoded, character_starts = tf.strings.unicode_decode_with_offsets(
        texts, "UTF-8", errors="replace"
    )
    # All texts are one behind the other: bytes are counted over all rows.
    lengths = tf.cast(tf.strings.length(texts), tf.int64)
    before = tf.cumsum(lengths, exclusive=True)
    row_starts, row_ends = tf.gather(before, rows), tf.gather(before + lengths, rows)
    starts, ends = starts + row_starts, ends + row_starts
    characters = character_starts.flat_values + tf.gather(before, row_numbers(decoded.row_splits))
    seen = tf.boolean_mask(characters, ~tf.gather(is_space, decoded.flat_values))

    def next_of(positions: tf.Tensor, after: tf.Tensor, side: str):
        """The first of the positions at or behind each place, or else the end of its row."""
        padded = tf.concat([positions, [tf.int64.max]], 0)
        found = tf.gather(padded, tf.searchsorted(positions, after, side, out_type=tf.int64))
        return tf.minimum(found, row_ends)

    inner = tf.minimum(next_of(seen, starts, "left"), ends)
    # Several tokens for one character: the op gives its bytes to the last one, here they share.
    is_part = (inner == ends) & ~is_blank
    shared_start = next_of(seen, starts, "left")
    shared_end = next_of(characters, shared_start, "right")
    starts_at = tf.where(is_part, shared_start, inner)
    ends_at = tf.where(is_part, shared_end, ends)
    return starts_at - row_starts, ends_at - row_starts
