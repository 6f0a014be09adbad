# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
from scipy import sparse

from electra_tf.pretraining.initial_embeddings import latent_semantic_embeddings, save_embeddings


def counts_of(blocks=60, tokens=30, seed=0):
    generator = np.random.default_rng(seed)
    return sparse.csr_matrix(generator.poisson(0.7, [blocks, tokens]).astype(np.float32))


def test_cosines_are_those_of_a_whole_decomposition():
    counts = counts_of().toarray()
    size = 8
    documents = (counts > 0).sum(axis=0)
    weights = np.log(counts, out=np.full_like(counts, -1.0), where=counts > 0) + 1
    weights *= np.log((1 + len(counts)) / (1 + documents)) + 1
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    _, values, directions = np.linalg.svd(weights, full_matrices=False)
    expected = directions[:size].T * np.sqrt(values[:size])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)

    embeddings = latent_semantic_embeddings(sparse.csr_matrix(counts), 30, size, norm=3.0)
    assert embeddings.shape == (30, size) and embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 3.0, rtol=1e-6)
    np.testing.assert_allclose(embeddings @ embeddings.T / 9, expected @ expected.T, atol=2e-2)


def test_tokens_that_occur_together_are_near_each_other():
    generator = np.random.default_rng(0)
    topics = generator.integers(0, 2, 300)
    rates = np.where(topics[:, None] == np.arange(20)[None] // 10, 1.0, 0.05)
    embeddings = latent_semantic_embeddings(
        sparse.csr_matrix(generator.poisson(rates)), 20, 4, norm=1
    )
    cosines = embeddings @ embeddings.T
    within, across = cosines[:10, :10][~np.eye(10, dtype=bool)], cosines[:10, 10:]
    assert within.mean() > 0.3 and abs(across.mean()) < 0.1


def test_tokens_that_do_not_occur_get_random_directions():
    embeddings = latent_semantic_embeddings(counts_of(), 34, 8)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 2.0, rtol=1e-6)
    assert len({row.tobytes() for row in embeddings[30:]}) == 4
    np.testing.assert_array_equal(embeddings[:30], latent_semantic_embeddings(counts_of(), 30, 8))


@pytest.mark.parametrize("blocks, tokens", [(8, 30), (30, 8)])
def test_too_little_text_is_an_error(blocks, tokens):
    with pytest.raises(ValueError, match=f"{blocks} blocks with {tokens} different tokens"):
        latent_semantic_embeddings(sparse.csr_matrix(np.ones([blocks, tokens])), 30, 8)


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "model.ckpt-7.index").write_text("precious")
    with pytest.raises(ValueError, match="new folder"):
        save_embeddings(np.zeros([4, 2]), None, str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["model.ckpt-7.index"]
