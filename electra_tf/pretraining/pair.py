# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Generators, and the pair of a generator and a discriminator that an objective trains."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from electra_tf.config import PretrainingConfig
from electra_tf.model import Encoder, Initializers, TokenPredictionHead
from electra_tf.model.part import ModelOfParts, serializable
from electra_tf.pretraining.discriminators import EncoderWithHead, discriminator_objective
from electra_tf.pretraining.masking import gather_positions, neighbours
from electra_tf.seeds import split_seed


@serializable
class MaskedLanguageModel(EncoderWithHead):
    """An encoder and a vocabulary head over its embeddings.

    Call: a masked batch -> `mlm_logits` float32 [B, N, V]; positions are gathered before the
    projection to the vocabulary.
    """

    default_name = "generator"

    def call(
        self,
        batch: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> dict[str, tf.Tensor]:
        inputs = {**batch, "input_ids": batch["masked_input_ids"]}
        hidden = self.encoder(inputs, seed=seed, training=training).last_hidden_state
        hidden = gather_positions(hidden, batch["masked_positions"])
        return {"mlm_logits": self.head(hidden, self.encoder.embeddings.word_embeddings)}


@serializable
class TwoTowerClozeModel(ModelOfParts):
    """Electric's generator: two causal encoders that read the unmasked text from either side.

    What it says of a position comes from the tokens before it (left-to-right tower, shifted by
    one) and after it (right-to-left tower), so all positions are predicted in one pass.

    Call: a masked batch -> `cloze_logits` float32 [B, L, V], `mlm_logits` float32 [B, N, V].
    """

    parts = ("left_to_right", "right_to_left", "head")

    def __init__(
        self,
        left_to_right: Encoder,
        right_to_left: Encoder,
        head: TokenPredictionHead,
        name: str = "generator",
    ):
        super().__init__(name=name)
        self.left_to_right = left_to_right
        self.right_to_left = right_to_left
        self.head = head
        self.built = True

    def call(
        self,
        batch: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> dict[str, tf.Tensor]:
        if "sequence_ids" in batch:
            raise ValueError(
                "packed records (sequence_ids) cannot be used with a two-tower generator: a token "
                "at the edge of its example would be guessed from the next example."
            )
        seeds = (None, None)
        if seed is not None:
            seeds = split_seed(seed, 2)
        before = self.left_to_right(batch, seed=seeds[0], training=training).last_hidden_state
        after = self.right_to_left(batch, seed=seeds[1], training=training).last_hidden_state
        logits = self.head(neighbours(before, after), self.left_to_right.embeddings.word_embeddings)
        return {
            "cloze_logits": logits,
            "mlm_logits": gather_positions(logits, batch["masked_positions"]),
        }

    def get_config(self) -> dict[str, Any]:
        shared = self.left_to_right.embeddings is self.right_to_left.embeddings
        return {**super().get_config(), "share_embeddings": shared}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TwoTowerClozeModel":
        config = dict(config)
        left = keras.saving.deserialize_keras_object(config["left_to_right"])
        right = config["right_to_left"]["config"]
        if config.pop("share_embeddings"):
            right = {**right, "embeddings": left.embeddings}
        head = keras.saving.deserialize_keras_object(config["head"])
        return cls(left, Encoder.from_config(right), head, name=config["name"])


@serializable
class UniformGenerator(keras.Model):
    """Proposes every token with the same probability; has no weights."""

    def __init__(self, vocab_size: int, name: str = "generator"):
        super().__init__(name=name)
        self.vocab_size = vocab_size
        self.built = True

    def call(
        self,
        batch: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> dict[str, tf.Tensor]:
        shape = tf.concat([tf.shape(batch["masked_positions"]), [self.vocab_size]], axis=0)
        return {"mlm_logits": tf.zeros(shape)}

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {"name": self.name, "vocab_size": self.vocab_size}


# ---- The pair


def build_pair(config: PretrainingConfig) -> tuple[keras.Model, keras.Model | None]:
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
    objective = discriminator_objective(config)
    discriminator = None if objective is None else objective.model(encoder, initializers)
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
    generator = MaskedLanguageModel(generator_encoder, head)
    generator.trainable = not config.freeze_generator
    return generator, discriminator


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
