# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Text: vocabularies, tokenization in the graph, packing of segments, vocabulary training."""

from electra_tf.text.loading import (
    check_rows,
    find_vocabulary_file,
    load_matching_tokenizer,
    load_tokenizer,
    load_vocabulary,
    save_tokenizer,
    stored_settings,
    vocabulary_size,
)
from electra_tf.text.packing import PackedSegments, pack_segments
from electra_tf.text.sentencepiece_tokenizer import SentencePieceTokenizer
from electra_tf.text.sentencepiece_training import train_sentencepiece_model
from electra_tf.text.tokenizer import Tokenizer, TokensWithOffsets
from electra_tf.text.vocabulary import (
    SPECIAL_TOKENS,
    AddedToken,
    SpecialTokens,
    Vocabulary,
    save_vocabulary,
)
from electra_tf.text.vocabulary_training import (
    count_words,
    train_wordpiece_vocabulary,
    wordpieces_from_counts,
)
from electra_tf.text.wordpiece import WordPieceTokenizer

__all__ = [
    "SPECIAL_TOKENS",
    "AddedToken",
    "PackedSegments",
    "SentencePieceTokenizer",
    "SpecialTokens",
    "Tokenizer",
    "TokensWithOffsets",
    "Vocabulary",
    "WordPieceTokenizer",
    "check_rows",
    "count_words",
    "find_vocabulary_file",
    "load_matching_tokenizer",
    "load_tokenizer",
    "load_vocabulary",
    "pack_segments",
    "save_tokenizer",
    "save_vocabulary",
    "stored_settings",
    "train_sentencepiece_model",
    "train_wordpiece_vocabulary",
    "vocabulary_size",
    "wordpieces_from_counts",
]
