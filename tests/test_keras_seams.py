# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Layers, models, optimizers and schedules as Keras expects them."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_seams import assert_same, check_layer, differ
from tiny_run import NO_DROPOUT, make_examples, tensors, tiny_config, tiny_pretrainer

from electra_tf.config import EncoderConfig
from electra_tf.model import Encoder, Initializers, ReplacedTokenHead, TokenPredictionHead
from electra_tf.model import encoder as encoder_module
from electra_tf.model import layers
from electra_tf.pretraining import ElectraPretrainer, pair
from electra_tf.training import ElectraAdam, WarmupPolynomialDecay
from electra_tf.training.optimization.optimizer import ElectraLamb

CONFIG = EncoderConfig(
    vocab_size=30,
    embedding_size=6,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=12,
    hidden_dropout_prob=0.3,
    attention_probs_dropout_prob=0.3,
)
RANDOM = np.random.default_rng(0)
HIDDEN = tf.constant(RANDOM.normal(size=(2, 5, 8)), tf.float32)
WIDE = tf.constant(RANDOM.normal(size=(2, 5, 16)), tf.float32)
MASK_SCORES = tf.zeros([2, 1, 1, 5])
TABLE = tf.constant(RANDOM.normal(size=(30, 6)), tf.float32)
IDS = tf.constant(RANDOM.integers(5, 30, (2, 5)), tf.int32)
SEGMENTS = tf.constant(RANDOM.integers(0, 2, (2, 5)), tf.int32)
FEATURES = {"input_ids": IDS, "input_mask": tf.ones_like(IDS), "segment_ids": SEGMENTS}
MASKED = {
    **FEATURES,
    "masked_input_ids": tf.where(IDS % 3 == 0, 4, IDS),
    "masked_positions": tf.constant([[1, 3], [2, 4]]),
}


def initializers():
    return Initializers(0.5, seed=1)


def encoder(name="electra", **kwargs):
    return Encoder(CONFIG, initializers(), name=name, **kwargs)


def masked_lm(dtype):
    return pair.MaskedLanguageModel(
        encoder(dtype=dtype), TokenPredictionHead(CONFIG, initializers(), dtype=dtype)
    )


def two_towers(dtype):
    left = encoder("left", direction="left_to_right", dtype=dtype)
    right = encoder("right", direction="right_to_left", embeddings=left.embeddings, dtype=dtype)
    head = TokenPredictionHead(CONFIG, initializers(), input_width=16, dtype=dtype)
    return pair.TwoTowerClozeModel(left, right, head)


def discriminator(dtype):
    head = ReplacedTokenHead(CONFIG, initializers(), dtype=dtype)
    return pair.Discriminator(encoder(dtype=dtype), head)


def part(kind, **options):
    return lambda dtype: kind(CONFIG, initializers(), dtype=dtype, **options)


WITHOUT_DROPOUT = {"drops": False, "has_training": False}
LAYERS = {
    "LayerNorm": (lambda dtype: layers.LayerNorm(dtype=dtype), (HIDDEN,), WITHOUT_DROPOUT),
    "Embeddings": (part(layers.Embeddings, has_difference=True), (IDS, SEGMENTS), {}),
    "SelfAttention": (part(layers.SelfAttention), (HIDDEN, MASK_SCORES), {}),
    "ResidualOutput": (part(layers.ResidualOutput), (WIDE, HIDDEN), {}),
    "Attention": (part(layers.Attention), (HIDDEN, MASK_SCORES), {}),
    "Intermediate": (part(layers.Intermediate), (HIDDEN,), WITHOUT_DROPOUT),
    "TransformerLayer": (part(layers.TransformerLayer), (HIDDEN, MASK_SCORES), {}),
    "LayerStack": (part(encoder_module.LayerStack, recompute=True), (HIDDEN, MASK_SCORES), {}),
    "Encoder": (encoder, (FEATURES,), {}),
    "TokenPredictionHead": (part(TokenPredictionHead), (HIDDEN, TABLE), WITHOUT_DROPOUT),
    "ReplacedTokenHead": (part(ReplacedTokenHead), (HIDDEN,), WITHOUT_DROPOUT),
    "MaskedLanguageModel": (masked_lm, (MASKED,), {}),
    "TwoTowerClozeModel": (two_towers, (MASKED,), {}),
    "UniformGenerator": (
        lambda dtype: pair.UniformGenerator(30),
        ({"masked_positions": MASKED["masked_positions"]},),
        {"drops": False},
    ),
    "Discriminator": (discriminator, (FEATURES,), {}),
}
