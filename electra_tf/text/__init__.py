# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Text: vocabularies, tokenization in the graph, packing of segments, vocabulary training."""

from electra_tf.text.packing import PackedSegments, pack_segments
from electra_tf.text.vocabulary import (
    SPECIAL_TOKENS,
    Vocabulary,
    load_vocabulary,
    save_vocabulary,
)
from electra_tf.text.vocabulary_training import (
    count_words,
    train_wordpiece_vocabulary,
    wordpieces_from_counts,
)
from electra_tf.text.wordpiece import TokensWithOffsets, WordPieceTokenizer, load_tokenizer

__all__ = [
    "SPECIAL_TOKENS",
    "PackedSegments",
    "TokensWithOffsets",
    "Vocabulary",
    "WordPieceTokenizer",
    "count_words",
    "load_tokenizer",
    "load_vocabulary",
    "pack_segments",
    "save_vocabulary",
    "train_wordpiece_vocabulary",
    "wordpieces_from_counts",
]
