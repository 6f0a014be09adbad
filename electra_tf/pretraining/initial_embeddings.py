# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Token embeddings to begin pre-training with, from which tokens occur together in a text."""

import numpy as np
import tensorflow as tf
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from electra_tf.folders import new_folder
from electra_tf.text import Tokenizer, save_tokenizer
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.weights import TOKEN_TABLE

NORM = 2.0
"""Large enough that what they say of the tokens outlasts the first steps of training."""


def latent_semantic_embeddings(
    counts: sparse.csr_matrix,
    vocab_size: int,
    size: int,
    norm: float = NORM,
    seed: int = 0,
) -> np.ndarray:
    """Embed tokens by latent semantic analysis (Deerwester et al. 1990).

    Counts are weighted by 1 + log(count) and inverse document frequency, blocks have length one;
    the embeddings are the first right singular vectors times the roots of their values.

    Args:
        counts: of tokens in blocks of text, [blocks, tokens of the vocabulary].
        vocab_size: V, of the model; at least the tokens of the vocabulary.
        size: E, of the embeddings.
        norm: Euclidean length of every embedding.
        seed: of the randomized decomposition, and of the directions of tokens that do not occur.

    Returns:
        float32 [V, E].

    Raises:
        ValueError: there are not more than E blocks, or not more than E tokens in use.
    """
    used = np.flatnonzero(counts.getnnz(axis=0))
    if min(counts.shape[0], len(used)) <= size:
        raise ValueError(
            f"Embeddings of size {size} need more than as many blocks of text and tokens in use; "
            f"the text has {counts.shape[0]} blocks with {len(used)} different tokens."
        )
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, used])
    decomposition = TruncatedSVD(size, random_state=seed).fit(weighted)
    embeddings = np.random.default_rng(seed).standard_normal((vocab_size, size))
    embeddings[used] = decomposition.components_.T * np.sqrt(decomposition.singular_values_)
    return (norm * normalize(embeddings)).astype(np.float32)


def save_embeddings(embeddings: np.ndarray, tokenizer: Tokenizer, folder: str) -> None:
    """Write a folder with a checkpoint that holds nothing else, and the files of the tokenizer.

    It is written completely or not at all.

    Raises:
        ValueError: the folder holds files.
    """
    with new_folder(folder) as partial:
        CheckpointFolder(partial).save(0, {TOKEN_TABLE: tf.constant(embeddings)}, {})
        save_tokenizer(tokenizer, partial)


def hparams_to_begin_with(folder: str) -> dict[str, str]:
    """Hyperparameters of a run whose embeddings are those of a folder; the rest is random."""
    return {"init_checkpoint": folder, "init_checkpoint_ignore": f"^(?!{TOKEN_TABLE}$)"}
