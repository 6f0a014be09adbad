# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Electric on a chain of five letters whose probabilities are known."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import spearmanr
from tiny_run import NO_DROPOUT, SPECIAL, hparams_with, tensors

from electra_tf.config import PretrainingConfig
from electra_tf.loading import LoadedModel
from electra_tf.pretraining import ElectraPretrainer
from electra_tf.pretraining.run import make_optimizer
from electra_tf.serving.pretrained import PretrainedServer
from electra_tf.text import load_tokenizer

LETTERS = "abcde"
COUNT = 6
"""Letters of a text."""
START = np.array([0.5, 0.2, 0.1, 0.1, 0.1])
NEXT = np.array(
    [
        [0.05, 0.75, 0.10, 0.05, 0.05],
        [0.10, 0.05, 0.70, 0.10, 0.05],
        [0.05, 0.05, 0.05, 0.60, 0.25],
        [0.30, 0.05, 0.05, 0.05, 0.55],
        [0.65, 0.05, 0.05, 0.20, 0.05],
    ]
)
"""Probability of each letter behind another one."""
SHAPE = {"num_hidden_layers": 1, "hidden_size": 32, "initializer_range": 0.2, **NO_DROPOUT}
STEPS, BATCH = 800, 256
ELECTRIC = {
    "electra_objective": False,
    "electric_objective": True,
    "embedding_size": 32,
    "mask_prob": 0.25,
    "disc_weight": 10.0,
    "learning_rate": 5e-3,
    "adam_bias_correction": True,
    "num_warmup_steps": 20,
    "num_train_steps": STEPS,
    "train_batch_size": BATCH,
    "vocab_size": len(SPECIAL) + len(LETTERS),
}


def chains(count, rng):
    """Numbers of letters drawn from the chain, [count, COUNT]."""
    columns = [rng.choice(5, count, p=START)]
    sums = NEXT.cumsum(axis=1)
    for _ in range(COUNT - 1):
        reached = sums[columns[-1]] > rng.random(count)[:, None]
        columns.append(reached.argmax(axis=1))
    return np.stack(columns, axis=1)


def log_probability(letters):
    """Natural logarithms for letters [..., COUNT]."""
    steps = np.log(NEXT)[letters[..., :-1], letters[..., 1:]]
    return np.log(START)[letters[..., 0]] + steps.sum(axis=-1)


def conditional(letters):
    """Log-probability of each letter [texts, COUNT] where all others are known, by Bayes' rule."""
    columns = []
    for place in range(COUNT):
        others = np.repeat(letters[:, None], 5, axis=1)
        others[:, :, place] = np.arange(5)
        joint = log_probability(others)
        normalized = joint - np.log(np.exp(joint).sum(axis=1, keepdims=True))
        columns.append(normalized[np.arange(len(letters)), letters[:, place]])
    return np.stack(columns, axis=1)


@pytest.mark.slow
def test_energies_order_texts_as_their_probabilities_do(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, *LETTERS]) + "\n")
    tokenizer = load_tokenizer(str(tmp_path / "vocab.txt"))
    hparams = hparams_with(SHAPE, **ELECTRIC)
    config = PretrainingConfig.from_hparams("chain", str(tmp_path), hparams)
    pretrainer = ElectraPretrainer(config, tokenizer.vocabulary)
    pretrainer.compile(optimizer=make_optimizer(config))

    def found(texts):
        server = PretrainedServer(pretrainer, tokenizer, config.max_seq_length, tf.float32, 3)
        return LoadedModel(server.signatures, "a chain", server).pseudo_log_likelihood(texts)

    rng = np.random.default_rng(0)
    every = np.array(list(itertools.product(range(5), repeat=COUNT)))
    letters = rng.permutation(np.concatenate([chains(100, rng), rng.choice(every, 100)]))
    texts = [" ".join(LETTERS[i] for i in row) for row in letters]
    known = conditional(letters)
    assert abs(spearmanr(found(texts)["log_likelihood"], log_probability(letters))[0]) < 0.5
    step = tf.function(pretrainer.train_step, autograph=False)
    for _ in range(STEPS):
        ids = np.pad(chains(BATCH, rng) + len(SPECIAL), [(0, 0), (1, 1)], constant_values=3)
        ids[:, 0] = 2
        batch = {"input_ids": ids, "input_mask": np.ones_like(ids), "segment_ids": 0 * ids}
        step(tensors({k: v.astype(np.int32) for k, v in batch.items()}))
    trained = found(texts)
    assert trained["method"][0] == "energies"
    by_sum = spearmanr(trained["log_likelihood"], log_probability(letters))[0]
    by_known = spearmanr(trained["log_likelihood"], known.sum(axis=1))[0]
    by_letter = spearmanr(trained["token_log_likelihoods"].ravel(), known.ravel())[0]
    assert by_sum > 0.95 and by_known > 0.95 and by_letter > 0.9
