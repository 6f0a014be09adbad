# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which tokens occur together: counts of the tokens in stretches of text."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from scipy import sparse

from electra_tf.data.corpus import SourceFile
from electra_tf.data.reading import Piece, read_all
from electra_tf.text import Tokenizer, Vocabulary
from electra_tf.text.tokenizer import UnknownTokens

BLOCK_TOKENS = 200
"""A long paragraph or a short review: about one topic."""


def count_tokens(
    sources: Sequence[SourceFile],
    tokenizer: Tokenizer,
    block_tokens: int = BLOCK_TOKENS,
    blanks_separate_docs: bool = True,
    text_field: str | None = None,
    sample_share: float = 1.0,
) -> sparse.csr_matrix:
    """Count the tokens in blocks of the documents of a corpus.

    A document of n tokens makes ceil(n / block_tokens) blocks of about the same length.

    Args:
        sources: the files.
        tokenizer: gives the V ids.
        block_tokens: tokens of a block at most.
        blanks_separate_docs: whether blank lines end documents; the ends of files always do.
        text_field: the files are JSON lines, each a document whose text is in this field.
        sample_share: share of the documents to count, spread evenly.

    Returns:
        float32 [blocks, V].

    Raises:
        ValueError: none of the documents has tokens, or a line is not as expected.
    """
    rows, drawn, size = [], 0.0, len(tokenizer.vocabulary)
    for piece in read_all(sources, blanks_separate_docs, text_field):
        chosen = Piece()
        for begin, end in piece.documents():
            drawn += sample_share
            if drawn >= 1:
                drawn -= 1
                chosen.lines += piece.lines[begin:end]
                chosen.document_ends.append(len(chosen.lines))
        if chosen.lines:
            rows.append(_blocks(chosen, tokenizer, block_tokens, size))
    counts = sparse.vstack(rows, format="csr") if rows else sparse.csr_matrix((0, size))
    if not counts.nnz:
        raise ValueError(
            f"No token was found in the {len(sources)} file(s), "
            f"of whose documents a share of {sample_share:g} was read."
        )
    return counts


def unknown_tokens(counts: sparse.csr_matrix, vocabulary: Vocabulary) -> UnknownTokens:
    """How many of the tokens that were counted are unknown."""
    unknown = counts.data[counts.indices == vocabulary.unk_id]
    return UnknownTokens(int(unknown.sum(dtype=np.int64)), int(counts.data.sum(dtype=np.int64)))


def _blocks(piece: Piece, tokenizer: Tokenizer, block_tokens: int, size: int) -> sparse.csr_matrix:
    with tf.device("CPU"):
        tokens = tokenizer(tf.constant(piece.lines, tf.string, [len(piece.lines)]))
    ids, lines = tokens.values.numpy(), tokens.row_splits.numpy()
    parts, lengths = [], []
    for first, last in piece.documents():
        begin, end = lines[first], lines[last]
        bounds = np.linspace(begin, end, 1 + -(-(end - begin) // block_tokens)).astype(np.int64)
        parts.append(ids[begin:end])
        lengths.append(np.diff(bounds))
    splits = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    ids = np.concatenate(parts)
    counts = sparse.csr_matrix(
        (np.ones(len(ids), np.float32), ids, splits), (len(splits) - 1, size)
    )
    counts.sum_duplicates()
    return counts.copy()  # without the room that repeated tokens took
