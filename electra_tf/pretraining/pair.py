# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Builds generator and discriminator for each objective, sharing what the objective shares."""

import keras

from electra_tf.config import PretrainingConfig
from electra_tf.model import Encoder, Initializers, ReplacedTokenHead, TokenPredictionHead
from electra_tf.pretraining.discriminator import Discriminator
from electra_tf.pretraining.generator import (
    MaskedLanguageModel,
    TwoTowerClozeModel,
    UniformGenerator,
)


def build_pair(config: PretrainingConfig) -> tuple[keras.Model, Discriminator | None]:
    """Generator and discriminator of a configuration; masked LM has no discriminator.

    With tied weights, and for masked LM, the generator runs on the encoder named "electra".
    """
    initializers = Initializers(config.encoder.initializer_range, config.seed)
    encoder = Encoder(
        config.encoder,
        initializers,
        disentangled=config.disentangled_embeddings,
        recompute=config.recompute_activations,
    )
    discriminator = None
    if config.has_discriminator:
        discriminator = Discriminator(encoder, ReplacedTokenHead(config.encoder, initializers))
    if config.uniform_generator:
        return UniformGenerator(config.vocab_size), discriminator
    if config.two_tower_generator:
        return _two_towers(config, initializers, encoder), discriminator
    if config.has_separate_generator:
        generator_encoder = _generator_encoder(config, initializers, encoder, "generator")
    else:
        generator_encoder = encoder
    head = TokenPredictionHead(
        generator_encoder.config, initializers, generator_encoder.config.hidden_size
    )
    return MaskedLanguageModel(generator_encoder, head), discriminator


def _generator_encoder(
    config: PretrainingConfig,
    initializers: Initializers,
    discriminator_encoder: Encoder,
    name: str,
    direction: str = "both",
):
    shared = None if config.untied_generator_embeddings else discriminator_encoder.embeddings
    return Encoder(
        config.generator_encoder,
        initializers,
        embeddings=shared,
        direction=direction,
        recompute=config.recompute_activations,
        name=name,
    )


def _two_towers(
    config: PretrainingConfig, initializers: Initializers, encoder: Encoder
) -> TwoTowerClozeModel:
    towers = [
        _generator_encoder(config, initializers, encoder, name, direction)
        for name, direction in (
            ("generator_ltr", "left_to_right"),
            ("generator_rtl", "right_to_left"),
        )
    ]
    width = 2 * config.generator_encoder.hidden_size
    head = TokenPredictionHead(
        config.generator_encoder, initializers, width, name="cloze_predictions"
    )
    return TwoTowerClozeModel(*towers, head)
