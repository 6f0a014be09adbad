# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A small encoder and ids to run it on."""

import numpy as np
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model import Encoder, Initializers

CONFIG = EncoderConfig(
    vocab_size=30,
    embedding_size=6,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=12,
    initializer_range=0.5,
)


def make_encoder(config=CONFIG, **kwargs) -> Encoder:
    return Encoder(config, Initializers(config.initializer_range, 1), **kwargs)


def make_inputs(lengths, width, seed=0) -> dict[str, tf.Tensor]:
    """Rows of random ids and segments, padded with zeros to `width`."""
    generator = np.random.default_rng(seed)
    mask = (np.arange(width) < np.array(lengths)[:, None]).astype(np.int32)
    return {
        "input_ids": tf.constant(generator.integers(1, 30, mask.shape) * mask, tf.int32),
        "input_mask": tf.constant(mask),
        "segment_ids": tf.constant(generator.integers(0, 2, mask.shape) * mask, tf.int32),
    }
