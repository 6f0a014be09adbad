# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Steps of small pretrainers, of which options change one thing."""

import numpy as np
import tensorflow as tf
from tiny_run import NO_DROPOUT, make_examples, tensors, tiny_pretrainer

from electra_tf.training.checkpoints.weights import (
    training_variables,
)

ONE_LAYER = {"num_hidden_layers": 1}
SMALL = {**NO_DROPOUT, **ONE_LAYER}
RATES = {"learning_rate": 0.01, "num_warmup_steps": 0}
TOKENS = "electra/embeddings/word_embeddings"


def built(data_dir, shape=SMALL, **options):
    options = {"disallow_correct": True, "precision": "float32", **RATES, **options}
    pretrainer = tiny_pretrainer(data_dir, shape, **options)
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    return pretrainer


def masked_batches(data_dir, count=3):
    masker = built(data_dir)
    return [
        masker.mask(tensors(make_examples(8, seed=i)), tf.constant([i, 0])) for i in range(count)
    ]


def trained(pretrainer, batches):
    """Losses of some steps, and the weights and moments after them."""
    losses = [float(pretrainer.train_step(batch)["loss"]) for batch in batches]
    return losses, {k: v.numpy() for k, v in training_variables(pretrainer).items()}


def assert_same_steps(found, expected, rtol=1e-5):
    np.testing.assert_allclose(found[0], expected[0], rtol=rtol)
    for name, value in expected[1].items():
        tolerance = rtol * max(1e-3, np.abs(value).max())
        np.testing.assert_allclose(found[1][name], value, atol=tolerance, rtol=0, err_msg=name)
